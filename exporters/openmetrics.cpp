// SPDX-License-Identifier: Apache-2.0
#include "exporters/openmetrics.h"

#include <chrono>
#include <cstdint>
#include <variant>

#include "agent/metrics/exemplar.h"

namespace connscope::exporters {

namespace {

using metrics::MetricType;

bool is_count(const metrics::Number& value) { return metrics::as_double(value) >= 0; }  // NaN is none

/// Writes the lines of one series, whose labels are set.
class SampleLines {
 public:
  SampleLines(MetricType type, LineWriter::Exemplars exemplars, LineWriter& lines)
      : type_(type), exemplars_(exemplars), lines_(lines) {}

  void operator()(const metrics::UnknownValue& value) { lines_.line("", value.value); }
  void operator()(const metrics::GaugeValue& value) { lines_.line("", value.value); }

  void operator()(const metrics::CounterValue& value) {
    if (!is_count(value.total)) return;
    lines_.line("_total", value.total, exemplars_);
    created(value.created);
  }

  void operator()(const metrics::StateSetValue& value) { lines_.states(value); }

  void operator()(const metrics::InfoValue& value) {
    lines_.add_labels(value.labels);
    lines_.line("_info", std::uint64_t{1});
  }

  void operator()(const metrics::HistogramValue& value) {
    const bool is_gauge = type_ == MetricType::kGaugeHistogram;
    const std::uint64_t count = lines_.buckets(value, exemplars_);
    if (may_have_sum(value)) {
      lines_.line(is_gauge ? "_gcount" : "_count", count);
      lines_.line(is_gauge ? "_gsum" : "_sum", value.sum);
    }
    if (!is_gauge) created(value.created);
  }

  void operator()(const metrics::SummaryValue& value) {
    for (const auto& [quantile, at] : value.quantiles) {
      if (quantile >= 0 && quantile <= 1 && !(at < 0)) lines_.quantile(quantile, at);
    }
    lines_.line("_count", value.count);
    if (is_count(value.sum)) lines_.line("_sum", value.sum);
    created(value.created);
  }

 private:
  /// Count and sum come together or not at all. A histogram's sum is a counter, so there is none when values can be
  /// negative; a gauge histogram's may be negative just then.
  [[nodiscard]] bool may_have_sum(const metrics::HistogramValue& value) const {
    const auto& text_bounds = value.layout->text_bounds();
    const bool below_zero = !text_bounds.empty() && value.layout->bounds()[text_bounds.front()] < 0;
    if (type_ == MetricType::kGaugeHistogram) return value.sum >= 0 || (below_zero && value.sum < 0);
    return value.sum >= 0 && !below_zero;
  }

  /// Unix time in seconds, to the millisecond. A time that was never set is left out.
  void created(metrics::WallTime time) {
    using std::chrono::milliseconds;
    const auto since_epoch = std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
    if (since_epoch <= 0) return;
    lines_.time("_created", static_cast<std::uint64_t>(since_epoch));
  }

  MetricType type_;
  LineWriter::Exemplars exemplars_;
  LineWriter& lines_;
};

}  // namespace

OpenMetricsEncoder::OpenMetricsEncoder(std::string_view version)
    : content_type_("application/openmetrics-text; version=" + std::string(version) + "; charset=utf-8") {}

void OpenMetricsEncoder::write_head(const metrics::FamilySnapshot& family, LineWriter& lines) const {
  const auto& descriptor = *family.descriptor;
  lines.comment("TYPE", "", metrics::to_string(family.type));
  if (!descriptor.unit.empty()) lines.comment("UNIT", "", descriptor.unit);
  if (!descriptor.help.empty()) lines.comment("HELP", "", descriptor.help, Quotes::kEscaped);
}

void OpenMetricsEncoder::write_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample,
                                      LineWriter& lines) const {
  std::visit(SampleLines(family.type, metrics::exemplars_of(family, sample), lines), sample.value);
}

void OpenMetricsEncoder::write_end(std::string& out) const { out += "# EOF\n"; }

}  // namespace connscope::exporters
