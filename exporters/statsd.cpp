// SPDX-License-Identifier: Apache-2.0
#include "exporters/statsd.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "exporters/datagram_sender.h"
#include "exporters/name_parts.h"
#include "exporters/report_points.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::Report;
using metrics::ReportedMetric;

/// Writes the lines of one metric.
class MetricLines {
 public:
  MetricLines(const ReportedMetric& metric, const StatsdStyle& style, bool accumulated, PacketWriter& packets)
      : style_(style), accumulated_(accumulated), packets_(packets), path_(style.prefix) {
    append_path(metric.id.prefix, metric.id.id, path_);
    for (const auto& [name, value] : metric.id.tags) add_label(name, value, path_, tags_);
  }

  void write(const Point& point) {
    std::string path = path_;
    std::string tags = tags_;
    if (!point.reason.empty()) add_outcome(point, path, tags);
    const std::size_t stem = path.size();
    for (const PointField& field : point.fields) {
      path.resize(stem);
      if (!field.name.empty()) path.append(".").append(field.name);
      write_line(path, field, tags);
    }
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void add_label(std::string_view name, std::string_view value, std::string& path, std::string& tags) const {
    if (style_.tags == StatsdTags::kPath) {
      path += '.';
      append_part(name, path);
      path += '.';
      append_part(value, path);
      return;
    }
    tags += tags.empty() ? "|#" : ",";
    append_tag_text(name, ":,|#", tags);
    tags += ':';
    append_tag_text(value, ",|#", tags);
  }

  /// In a path stage and reason say themselves what they are.
  void add_outcome(const Point& point, std::string& path, std::string& tags) const {
    if (style_.tags == StatsdTags::kPath) return add_label(point.stage, point.reason, path, tags);
    add_label("stage", point.stage, path, tags);
    add_label("reason", point.reason, path, tags);
  }

  void write_line(const std::string& name, const PointField& field, const std::string& tags) {
    const double number = metrics::as_double(field.value);
    if (!std::isfinite(number)) {
      ++refused_;
      return;
    }
    const bool is_counter = field.adds_up && !accumulated_;
    group_.clear();
    if (!is_counter && number < 0) group_ += name + ":0|g" + tags + '\n';
    group_ += name + ':';
    append_number(field.value, group_);
    group_ += is_counter ? "|c" : "|g";
    group_ += tags;
    packets_.add(group_);
  }

  const StatsdStyle& style_;
  bool accumulated_;
  PacketWriter& packets_;
  std::string path_;
  std::string tags_;
  std::string group_;
  std::uint64_t refused_ = 0;
};

void write_outliers(const Report& report, const StatsdStyle& style, PacketWriter& packets) {
  for (const auto& [key, count] : outlier_counts(report)) {
    std::string line = style.prefix;
    append_path(key.first, key.second, line);
    line += ".outliers:";
    append_number(count, line);
    line += "|c";
    packets.add(line);
  }
}

class StatsdExporter final : public ReportExporter {
 public:
  StatsdExporter(SocketAddress address, StatsdStyle style, std::size_t packet_bytes)
      : sender_(std::move(address)), style_(std::move(style)), packet_bytes_(packet_bytes) {}

  Sent send(const Report& report) override {
    PacketWriter packets(packet_bytes_, [this](std::string_view packet) { return sender_.send(packet); });
    const std::uint64_t refused = encode_statsd(report, style_, packets);
    packets.flush();
    return {packets.packets(), packets.bytes(), refused + packets.refused(), packets.status()};
  }

 private:
  DatagramSender sender_;
  StatsdStyle style_;
  std::size_t packet_bytes_;
};

StatsdStyle parse_style(const config::Section& section) {
  StatsdStyle style;
  const std::string tags = section.one_of("tags", "path", {"path", "dogstatsd"});
  style.tags = tags == "path" ? StatsdTags::kPath : StatsdTags::kDogStatsd;
  style.prefix = parse_name_prefix(section);
  return style;
}

}  // namespace

std::uint64_t encode_statsd(const Report& report, const StatsdStyle& style, PacketWriter& packets) {
  std::uint64_t refused = 0;
  for (const ReportedMetric& metric : report.metrics) {
    MetricLines lines(metric, style, report.accumulated, packets);
    for_each_point(metric, [&lines](const Point& point) { lines.write(point); });
    refused += lines.refused();
  }
  write_outliers(report, style, packets);
  return refused;
}

std::unique_ptr<ReportExporter> make_statsd_exporter(const config::Section& section,
                                                     const ExporterServices& /*services*/) {
  // 1432 bytes fit into one frame of an Ethernet, whatever the headers.
  const auto packet_bytes = static_cast<std::size_t>(section.integer("packet_bytes", 1432, 256, 65000));
  return std::make_unique<StatsdExporter>(SocketAddress::parse(section, "address", "127.0.0.1:8125"),
                                          parse_style(section), packet_bytes);
}

}  // namespace connscope::exporters
