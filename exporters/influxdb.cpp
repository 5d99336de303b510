// SPDX-License-Identifier: Apache-2.0
#include "exporters/influxdb.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "agent/config/message.h"
#include "exporters/datagram_sender.h"
#include "exporters/http_sender.h"
#include "exporters/name_parts.h"
#include "exporters/report_points.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::Report;
using metrics::ReportedMetric;

constexpr std::string_view kUdpScheme = "udp://";
/// Of one request. InfluxDB takes 25 MB; smaller ones leave it time for others.
constexpr std::size_t kMaxBody = 1U << 20U;

/// A measurement, a key or a value of a tag.
void append_name(std::string_view text, std::string& out) {
  std::string clean;
  append_tag_text(text, "\\", clean);
  for (const char c : clean) {
    if (c == ',' || c == ' ' || c == '=') out += '\\';
    out += c;
  }
}

void append_tag(std::string_view name, std::string_view value, std::string& out) {
  if (value.empty()) return;
  out += ',';
  append_name(name, out);
  out += '=';
  append_name(value, out);
}

void append_time(metrics::WallTime time, std::string& out) {
  using std::chrono::nanoseconds;
  out += ' ';
  out += std::to_string(std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()).count());
}

class Lines {
 public:
  Lines(metrics::WallTime end, PacketWriter& packets) : end_(end), packets_(packets) {}

  void write(const ReportedMetric& metric) {
    series_.clear();
    append_name(metric.id.id, series_);
    append_tag("process", metric.id.prefix, series_);
    for (const auto& [name, value] : metric.id.tags) append_tag(name, value, series_);
    for_each_point(metric, [this](const Point& point) { write(point); });
  }

  void write(const metrics::Outlier& outlier) {
    line_.clear();
    append_name(outlier.id + ".outlier", line_);
    append_tag("process", outlier.process, line_);
    separator_ = ' ';
    add_field({"seconds", outlier.seconds});
    add_field({"mean_seconds", outlier.mean_seconds});
    add_field({"pid", std::uint64_t{outlier.pid}, true});
    append_time(outlier.at, line_);
    packets_.add(line_);
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void write(const Point& point) {
    line_ = series_;
    append_tag("stage", point.stage, line_);
    append_tag("reason", point.reason, line_);
    separator_ = ' ';
    for (const PointField& field : point.fields) add_field(field);
    if (separator_ == ' ') return;  // a line without a field is none
    append_time(end_, line_);
    packets_.add(line_);
  }

  void add_field(const PointField& field) {
    // Only what has a name can have a type: under `value` come counts and measurements alike.
    const auto* integer = field.name.empty() ? nullptr : std::get_if<std::uint64_t>(&field.value);
    const bool is_too_great = integer != nullptr && *integer > std::numeric_limits<std::int64_t>::max();
    if (is_too_great || !std::isfinite(metrics::as_double(field.value))) {
      ++refused_;
      return;
    }
    line_ += std::exchange(separator_, ',');
    for (const char c : field.name.empty() ? "value" : field.name) line_ += c == '.' ? '_' : c;
    line_ += '=';
    append_number(field.value, line_);
    if (integer != nullptr) line_ += 'i';
  }

  metrics::WallTime end_;
  PacketWriter& packets_;
  std::string series_;  // measurement and tags
  std::string line_;
  char separator_ = ' ';
  std::uint64_t refused_ = 0;
};

class HttpInflux final : public ReportExporter {
 public:
  HttpInflux(HttpSender sender, std::string path) : sender_(std::move(sender)), path_(std::move(path)) {}

  Sent send(const Report& report) override {
    Sent failed;
    PacketWriter bodies(kMaxBody, [&](std::string_view body) {
      failed = sender_.send({"POST", path_, {"Content-Type: text/plain; charset=utf-8"}, body});
      return failed.status;
    });
    const std::uint64_t refused = encode_influxdb(report, bodies);
    bodies.flush();
    return {bodies.packets(), bodies.bytes(), bodies.status() ? refused + bodies.refused() : 0, bodies.status(),
            failed.retry_after};
  }

 private:
  HttpSender sender_;
  std::string path_;
};

class UdpInflux final : public ReportExporter {
 public:
  UdpInflux(SocketAddress address, std::size_t packet_bytes)
      : sender_(std::move(address)), packet_bytes_(packet_bytes) {}

  Sent send(const Report& report) override {
    PacketWriter packets(packet_bytes_, [this](std::string_view packet) { return sender_.send(packet); });
    const std::uint64_t refused = encode_influxdb(report, packets);
    packets.flush();
    return {packets.packets(), packets.bytes(), refused + packets.refused(), packets.status()};
  }

 private:
  DatagramSender sender_;
  std::size_t packet_bytes_;
};

/// Where version 2, when a bucket is named, or version 1 takes lines.
std::string parse_path(const config::Section& section) {
  const std::string bucket = section.text("bucket", "");
  const std::string org = section.text("org", "");
  const std::string database = section.text("database", "connscope");
  const std::string policy = section.text("retention_policy", "");
  if (!bucket.empty() && (section.has("database") || !policy.empty()))
    section.fail("bucket", "is version 2's, database and retention_policy are version 1's; allowed: one of these");
  if (bucket.empty() != org.empty()) section.fail("org and bucket belong together; allowed: both or neither");
  if (!bucket.empty())
    return "/api/v2/write?org=" + percent_encoded(org) + "&bucket=" + percent_encoded(bucket) + "&precision=ns";
  return "/write?db=" + percent_encoded(database) + (policy.empty() ? "" : "&rp=" + percent_encoded(policy)) +
         "&precision=ns";
}

std::unique_ptr<ReportExporter> make_udp(const config::Section& section, const std::string& url) {
  const auto address = SocketAddress::parse(std::string_view(url).substr(kUdpScheme.size()));
  if (!address) section.fail("url", config::in_quotes(url) + " has no address; allowed: udp://HOST:PORT");
  // 1432 bytes fit into one frame of an Ethernet, whatever the headers.
  const auto packet_bytes = static_cast<std::size_t>(section.integer("packet_bytes", 1432, 256, 65000));
  return std::make_unique<UdpInflux>(address.value_or(SocketAddress()), packet_bytes);
}

}  // namespace

std::uint64_t encode_influxdb(const Report& report, PacketWriter& packets) {
  Lines lines(report.end, packets);
  for (const ReportedMetric& metric : report.metrics) lines.write(metric);
  for (const metrics::Outlier& outlier : report.outliers) lines.write(outlier);
  return lines.refused();
}

std::unique_ptr<ReportExporter> make_influxdb_exporter(const config::Section& section,
                                                       const ExporterServices& /*services*/) {
  constexpr std::string_view kDefault = "http://127.0.0.1:8086";
  const std::string url = section.text("url", kDefault);
  if (url.rfind(kUdpScheme, 0) == 0) return make_udp(section, url);
  HttpTarget target = HttpTarget::parse(section, kDefault);
  return std::make_unique<HttpInflux>(HttpSender(std::move(target), "Token"), parse_path(section));
}

}  // namespace connscope::exporters
