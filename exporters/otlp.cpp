// SPDX-License-Identifier: Apache-2.0
#include "exporters/otlp.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/config/message.h"
#include "exporters/http_sender.h"
#include "exporters/otlp_answer.h"
#include "exporters/target_labels.h"

namespace connscope::exporters {
namespace {

constexpr std::size_t kShownMessage = 200;

std::string_view media_type(MessageEncoding encoding) {
  return encoding == MessageEncoding::kJson ? "application/json" : "application/x-protobuf";
}

/// Of those that HTTP lets one try again, OTLP excludes some.
bool may_be_tried_again(long status) { return status == 429 || (status >= 502 && status <= 504); }

class Otlp final : public ReportExporter {
 public:
  Otlp(HttpSender sender, Selection selection, OtlpForm form)
      : sender_(std::move(sender)), selection_(std::move(selection)), form_(std::move(form)) {}

  Sent send(const metrics::Report& report) override {
    body_.clear();
    const std::uint64_t refused = encode_otlp(delivered_.get(), *report.snapshot, selection_, form_, body_);
    const std::string type = "Content-Type: " + std::string(media_type(form_.encoding));
    const auto answer = sender_.exchange({"POST", "", {type, "User-Agent: connscope"}, body_});
    Sent sent = sender_.judge(answer, body_.size());
    if (answer && !may_be_tried_again(answer->status)) sent.retry_after.reset();
    if (!sent.status) return sent;
    sent.refused = refused;
    if (needs_delivered()) delivered_ = report.snapshot;
    note_rejected(read_otlp_answer(form_.encoding, answer->body), sent);
    return sent;
  }

  /// Deltas and exemplars go on from what this receiver has.
  void take_over(ReportExporter& previous) override {
    const auto* other = dynamic_cast<const Otlp*>(&previous);
    if (other != nullptr && needs_delivered() && other->sender_.target().url == sender_.target().url)
      delivered_ = other->delivered_;
  }

 private:
  [[nodiscard]] bool needs_delivered() const { return form_.is_delta || form_.exemplars; }

  /// They are gone, as the specification wants it. The rest has arrived.
  void note_rejected(const OtlpAnswer& answer, Sent& sent) {
    if (answer.rejected == 0) return;
    sent.refused += answer.rejected;
    sent.status = Error(sender_.target().url + ": rejects " + std::to_string(answer.rejected) +
                        " points: " + config::in_quotes(std::string_view(answer.message).substr(0, kShownMessage)));
  }

  HttpSender sender_;
  Selection selection_;
  OtlpForm form_;
  metrics::SnapshotPtr delivered_;  // where it is needed
  std::string body_;                // kept for its room
};

OtlpForm parse_form(const config::Section& section) {
  OtlpForm form;
  const bool is_json = section.one_of("encoding", "protobuf", {"protobuf", "json"}) == "json";
  form.encoding = is_json ? MessageEncoding::kJson : MessageEncoding::kProtobuf;
  form.is_delta = section.one_of("temporality", "cumulative", {"cumulative", "delta"}) == "delta";
  form.exemplars = section.flag("exemplars", false);
  form.attributes = parse_pairs(section, "attributes");
  const auto is_named = [&](std::string_view name) {
    return std::any_of(form.attributes.begin(), form.attributes.end(), [&](const auto& a) { return a.first == name; });
  };
  if (is_named("service.name"))
    section.fail("attributes", "\"service.name\" is the process of each series; allowed: other names");
  if (!is_named("host.name")) form.attributes.emplace_back("host.name", host_name());
  return form;
}

}  // namespace

std::unique_ptr<ReportExporter> make_otlp_exporter(const config::Section& section,
                                                   const ExporterServices& /*services*/) {
  HttpTarget target = HttpTarget::parse(section, "http://127.0.0.1:4318/v1/metrics");
  Selection selection{{}, section.texts("names")};
  return std::make_unique<Otlp>(HttpSender(std::move(target)), std::move(selection), parse_form(section));
}

}  // namespace connscope::exporters
