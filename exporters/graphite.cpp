// SPDX-License-Identifier: Apache-2.0
#include "exporters/graphite.h"

#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include "exporters/name_parts.h"
#include "exporters/report_points.h"
#include "exporters/stream_sender.h"
#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::Report;
using metrics::ReportedMetric;

/// ASCII without what ends a tag, or the path that it stands in.
void append_tag(std::string_view text, std::string& out) {
  for (const char c : text) {
    const bool is_legal = c > ' ' && c < 0x7f && std::string_view(";!^=~").find(c) == std::string_view::npos;
    out += is_legal ? c : '_';
  }
}

class LineAppender {
 public:
  LineAppender(const Report& report, const GraphiteStyle& style, std::string& out) : style_(style), out_(out) {
    using std::chrono::seconds;
    end_ = " " + std::to_string(std::chrono::floor<seconds>(report.end.time_since_epoch()).count()) + "\n";
  }

  void write(const ReportedMetric& metric) {
    path_ = style_.prefix;
    tags_.clear();
    append_path(metric.id.prefix, metric.id.id, path_);
    for (const auto& [name, value] : metric.id.tags) add_label(name, value);
    for_each_point(metric, [this](const Point& point) { write(point); });
  }

  void write_outliers(const std::string& process, const std::string& id, std::uint64_t count) {
    path_ = style_.prefix;
    tags_.clear();
    append_path(process, id, path_);
    write_line({"outliers", count, true});
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void add_label(std::string_view name, std::string_view value) {
    if (style_.has_tags) {
      tags_ += ';';
      append_tag(name, tags_);
      tags_ += '=';
      append_tag(value, tags_);
      return;
    }
    path_ += '.';
    append_part(name, path_);
    path_ += '.';
    append_part(value, path_);
  }

  /// In a path stage and reason say themselves what they are.
  void add_outcome(const Point& point) {
    if (!style_.has_tags) return add_label(point.stage, point.reason);
    add_label("stage", point.stage);
    add_label("reason", point.reason);
  }

  void write(const Point& point) {
    const std::size_t path_length = path_.size();
    const std::size_t tags_length = tags_.size();
    if (!point.reason.empty()) add_outcome(point);
    for (const PointField& field : point.fields) write_line(field);
    path_.resize(path_length);
    tags_.resize(tags_length);
  }

  void write_line(const PointField& field) {
    if (!std::isfinite(metrics::as_double(field.value))) {
      ++refused_;
      return;
    }
    out_ += path_;
    if (!field.name.empty()) out_.append(".").append(field.name);
    out_ += tags_;
    out_ += ' ';
    append_number(field.value, out_);
    out_ += end_;
  }

  const GraphiteStyle& style_;
  std::string& out_;
  std::string end_;  // " EPOCH\n"
  std::string path_;
  std::string tags_;
  std::uint64_t refused_ = 0;
};

class GraphiteExporter final : public ReportExporter {
 public:
  GraphiteExporter(StreamSender sender, GraphiteStyle style) : sender_(std::move(sender)), style_(std::move(style)) {}

  Sent send(const Report& report) override {
    std::string lines;
    Sent sent;
    sent.refused = encode_graphite(report, style_, lines);
    if (lines.empty()) return sent;
    sent.status = sender_.send(lines);
    if (!sent.status) return {0, 0, 0, sent.status, std::chrono::milliseconds(0)};
    sent.packets = 1;
    sent.bytes = lines.size();
    return sent;
  }

 private:
  StreamSender sender_;
  GraphiteStyle style_;
};

}  // namespace

std::uint64_t encode_graphite(const Report& report, const GraphiteStyle& style, std::string& out) {
  LineAppender lines(report, style, out);
  for (const ReportedMetric& metric : report.metrics) lines.write(metric);
  for (const auto& [key, count] : outlier_counts(report)) lines.write_outliers(key.first, key.second, count);
  return lines.refused();
}

std::unique_ptr<ReportExporter> make_graphite_exporter(const config::Section& section,
                                                       const ExporterServices& /*services*/) {
  GraphiteStyle style{section.flag("tags", false), parse_name_prefix(section)};
  auto address = SocketAddress::parse(section, "address", "127.0.0.1:2003");
  return std::make_unique<GraphiteExporter>(StreamSender(std::move(address), parse_timeout(section)), std::move(style));
}

}  // namespace connscope::exporters
