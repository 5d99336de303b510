// SPDX-License-Identifier: Apache-2.0
#include "exporters/prometheus_text.h"

#include <cstdint>
#include <variant>

namespace connscope::exporters {

namespace {

using metrics::MetricType;

/// How the format names a family of this type, and what it says it is.
struct Head {
  std::string_view suffix;
  std::string_view type;
};

Head head_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return {"_total", "counter"};
    case MetricType::kInfo:
      return {"_info", "gauge"};
    case MetricType::kGauge:
    case MetricType::kStateSet:
      return {"", "gauge"};
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return {"", "histogram"};
    case MetricType::kSummary:
      return {"", "summary"};
    case MetricType::kUnknown:
      break;
  }
  return {"", "untyped"};
}

/// Writes the lines of one series, whose labels are set.
class SampleLines {
 public:
  explicit SampleLines(LineWriter& lines) : lines_(lines) {}

  void operator()(const metrics::UnknownValue& value) { lines_.line("", value.value); }
  void operator()(const metrics::GaugeValue& value) { lines_.line("", value.value); }
  void operator()(const metrics::CounterValue& value) { lines_.line("_total", value.total); }
  void operator()(const metrics::StateSetValue& value) { lines_.states(value); }

  void operator()(const metrics::InfoValue& value) {
    lines_.add_labels(value.labels);
    lines_.line("_info", std::uint64_t{1});
  }

  void operator()(const metrics::HistogramValue& value) {
    const std::uint64_t count = lines_.buckets(value);
    lines_.line("_sum", value.sum);
    lines_.line("_count", count);
  }

  void operator()(const metrics::SummaryValue& value) {
    for (const auto& [quantile, at] : value.quantiles) lines_.quantile(quantile, at);
    lines_.line("_sum", value.sum);
    lines_.line("_count", value.count);
  }

 private:
  LineWriter& lines_;
};

}  // namespace

void PrometheusTextEncoder::write_head(const metrics::FamilySnapshot& family, LineWriter& lines) const {
  const Head head = head_of(family.type);
  if (!family.descriptor->help.empty()) lines.comment("HELP", head.suffix, family.descriptor->help);
  lines.comment("TYPE", head.suffix, head.type);
}

void PrometheusTextEncoder::write_sample(const metrics::FamilySnapshot& /*family*/, const metrics::Sample& sample,
                                         LineWriter& lines) const {
  std::visit(SampleLines(lines), sample.value);
}

}  // namespace connscope::exporters
