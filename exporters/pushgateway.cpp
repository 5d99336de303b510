// SPDX-License-Identifier: Apache-2.0
#include "exporters/pushgateway.h"

#include <cstdint>
#include <utility>

#include "exporters/http_sender.h"
#include "exporters/prometheus_text.h"
#include "exporters/target_labels.h"

namespace connscope::exporters {
namespace {

/// RFC 4648, 5, without padding; the gateway takes `=` for the empty text.
std::string base64url(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += kDigits[bits >> (held - 6) & 63U];
  }
  if (held != 0) out += kDigits[bits << (6 - held) & 63U];
  return out.empty() ? "=" : out;
}

void append_group(std::string_view label, std::string_view value, std::string& path) {
  const bool is_plain = !value.empty() && percent_encoded(value) == value && value != "." && value != "..";
  path.append("/").append(label).append(is_plain ? "/" : "@base64/");
  path += is_plain ? std::string(value) : base64url(value);
}

class PushgatewayExporter final : public ReportExporter {
 public:
  PushgatewayExporter(HttpSender sender, std::string path, Selection selection, bool deletes_at_stop)
      : sender_(std::move(sender)),
        path_(std::move(path)),
        selection_(std::move(selection)),
        deletes_at_stop_(deletes_at_stop) {}

  Sent send(const metrics::Report& report) override {
    if (deletes_at_stop_ && report.occasion == metrics::Occasion::kStop) return sender_.send({"DELETE", path_, {}, ""});
    body_.clear();
    encoder_.encode(*report.snapshot, selection_, body_);
    return sender_.send({"PUT", path_, {"Content-Type: " + std::string(encoder_.content_type())}, body_});
  }

 private:
  HttpSender sender_;
  std::string path_;
  Selection selection_;
  bool deletes_at_stop_;
  PrometheusTextEncoder encoder_;
  std::string body_;  // kept for its room
};

}  // namespace

std::string pushgateway_path(std::string_view job, std::string_view instance) {
  std::string path = "/metrics";
  append_group("job", job, path);
  append_group("instance", instance, path);
  return path;
}

std::unique_ptr<ReportExporter> make_pushgateway_exporter(const config::Section& section,
                                                          const ExporterServices& /*services*/) {
  const std::string job = section.text("job", "connscope");
  if (job.empty()) section.fail("job", "is empty; allowed: any other text");
  const std::string instance = section.text("instance", host_name());
  Selection selection{{}, section.texts("names")};
  const bool deletes_at_stop = section.flag("delete_at_stop", false);
  HttpSender sender(HttpTarget::parse(section, "http://127.0.0.1:9091"));
  return std::make_unique<PushgatewayExporter>(std::move(sender), pushgateway_path(job, instance), std::move(selection),
                                               deletes_at_stop);
}

}  // namespace connscope::exporters
