// SPDX-License-Identifier: Apache-2.0
#include "exporters/log_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "exporters/text.h"

namespace connscope::exporters {
namespace {

using metrics::Aggregate;
using metrics::Report;
using metrics::ReportedMetric;

struct Unit {
  double size;
  const char* name;
};

/// With three decimals in the largest unit that `value` reaches; whole in the last.
template <std::size_t N>
std::string humanized(double value, const std::array<Unit, N>& units) {
  for (std::size_t i = 0; i + 1 < N; ++i) {
    if (std::fabs(value) < units[i].size) continue;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.3f%s", value / units[i].size, units[i].name);
    return text.data();
  }
  std::string text;
  append_number(std::nearbyint(value / units.back().size), text);
  return text + units.back().name;
}

std::string duration_text(double seconds) {
  static constexpr std::array<Unit, 6> kUnits{
      {{86400, "d"}, {3600, "hr"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "us"}}};
  return humanized(seconds, kUnits);
}

std::string size_text(double bytes) {
  static constexpr std::array<Unit, 6> kUnits{
      {{0x1p50, "Pi"}, {0x1p40, "Ti"}, {0x1p30, "Gi"}, {0x1p20, "Mi"}, {0x1p10, "Ki"}, {1, ""}}};
  return humanized(bytes, kUnits);
}

std::string value_text(const metrics::Number& value, const std::string& unit) {
  const double number = metrics::as_double(value);
  if (unit == "seconds" && std::isfinite(number)) return duration_text(number);
  if (unit == "bytes" && std::isfinite(number)) return size_text(number);
  std::string text;
  append_number(value, text);
  return text;
}

void append_tag(std::string_view name, std::string_view value, std::string& tags) {
  tags += tags.empty() ? '{' : ',';
  tags += name;
  tags += "=\"";
  append_escaped(value, Quotes::kEscaped, tags);
  tags += '"';
}

/// `name{a="b"}`, with one more tag when `more` has a name.
std::string head_of(const ReportedMetric& metric, std::string_view more = {}, std::string_view value = {}) {
  std::string head;
  append_escaped(metric.id.name(), Quotes::kBare, head);
  std::string tags;
  for (const auto& [tag, tag_value] : metric.id.tags) append_tag(tag, tag_value, tags);
  if (!more.empty()) append_tag(more, value, tags);
  return tags.empty() ? head : head + tags + '}';
}

std::string side_text(const char* name, const Aggregate::Side& side, const std::string& unit) {
  std::string text = std::string(name) + ": ";
  append_number(side.count, text);
  if (side.count == 0) return text;
  text += ", mean: " + value_text(*side.mean(), unit);
  text += ", min: " + value_text(*side.min, unit);
  return text + ", max: " + value_text(*side.max, unit);
}

/// Writes the lines of one metric.
class MetricLines {
 public:
  MetricLines(const ReportedMetric& metric, metrics::WallTime end, std::vector<std::string>& lines)
      : metric_(metric), unit_(metric.descriptor->unit), end_(end), lines_(lines) {}

  void operator()(const metrics::Distribution& reading) {
    const Aggregate& aggregate = reading.aggregate;
    std::string line = head_of(metric_) + ": ";
    const bool has_no_go = aggregate.no_go().count != 0;
    if (aggregate.go().count != 0 || !has_no_go)
      line += side_text("Go", aggregate.go(), unit_) + (has_no_go ? ", " : "");
    if (has_no_go) line += side_text("NoGo", aggregate.no_go(), unit_);
    lines_.push_back(std::move(line));
  }

  void operator()(const metrics::OutcomeHistogram& reading) {
    for (const auto& [outcome, count] : reading.buckets()) {
      const std::size_t slash = outcome.find('/');
      lines_.push_back(head_of(metric_, outcome.substr(0, slash), outcome.substr(slash + 1)) + " " +
                       std::to_string(count));
    }
    if (reading.buckets().empty()) lines_.push_back(head_of(metric_) + " 0");
  }

  void operator()(const metrics::Sum& reading) {
    if (unit_ == "seconds") {
      lines_.push_back(head_of(metric_) + ": " + duty_text(metrics::as_double(reading.total)));
    } else {
      lines_.push_back(head_of(metric_) + ": Go: (" + std::to_string(reading.updates) + ") " +
                       value_text(reading.total, unit_));
    }
  }

  void operator()(const metrics::Level& reading) {
    lines_.push_back(head_of(metric_) + ": " + value_text(reading.value, unit_));
  }

 private:
  [[nodiscard]] std::string duty_text(double busy) const {
    const double wall = std::chrono::duration<double>(end_ - metric_.start).count();
    std::string text = duration_text(busy) + " / " + duration_text(wall);
    if (!(wall > 0)) return text;
    return text + " (" + std::to_string(std::llround(std::min(busy / wall, 1e9) * 100)) + "%)";
  }

  const ReportedMetric& metric_;
  const std::string& unit_;
  metrics::WallTime end_;
  std::vector<std::string>& lines_;
};

std::string outlier_text(const metrics::Outlier& outlier) {
  std::string text;
  append_escaped(outlier.process + "." + outlier.id, Quotes::kBare, text);
  text += ": outlier: " + duration_text(outlier.seconds) + ", mean: " + duration_text(outlier.mean_seconds);
  if (outlier.pid != 0) text += ", pid: " + std::to_string(outlier.pid);
  for (const auto& [name, value] : {std::pair(", peer: ", &outlier.peer), std::pair(", host: ", &outlier.host)}) {
    if (value->empty()) continue;
    text += name;
    append_escaped(*value, Quotes::kBare, text);
  }
  return text;
}

class LogExporter final : public ReportExporter {
 public:
  explicit LogExporter(std::function<void(std::string_view)> log) : log_(std::move(log)) {}

  Sent send(const Report& report) override {
    lines_.clear();
    append_report(report, lines_);
    Sent sent;
    for (const std::string& line : lines_) {
      log_(line);
      sent.bytes += line.size();
    }
    return sent;
  }

 private:
  std::function<void(std::string_view)> log_;
  std::vector<std::string> lines_;
};

}  // namespace

void append_report(const Report& report, std::vector<std::string>& lines) {
  for (const ReportedMetric& metric : report.metrics)
    std::visit(MetricLines(metric, report.end, lines), metric.reading);
  for (const metrics::Outlier& outlier : report.outliers) lines.push_back(outlier_text(outlier));
  if (report.outliers_left_out != 0)
    lines.push_back("policy " + report.policy + ": " + std::to_string(report.outliers_left_out) + " more outliers");
}

std::unique_ptr<ReportExporter> make_log_exporter(const config::Section& /*section*/,
                                                  const ExporterServices& services) {
  return std::make_unique<LogExporter>(services.log);
}

}  // namespace connscope::exporters
