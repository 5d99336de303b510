// SPDX-License-Identifier: Apache-2.0
#include "exporters/report_points.h"

#include <array>
#include <cstddef>
#include <variant>

namespace connscope::exporters {
namespace {

using Take = std::function<void(const Point&)>;
using metrics::Aggregate;

/// The names of one side's count, sum, mean, least and greatest.
using SideNames = std::array<std::string_view, 5>;
constexpr SideNames kGo{"go.count", "go.sum", "go.mean", "go.min", "go.max"};
constexpr SideNames kNoGo{"no_go.count", "no_go.sum", "no_go.mean", "no_go.min", "no_go.max"};

void append_side(const SideNames& names, const Aggregate::Side& side, std::vector<PointField>& fields) {
  fields.push_back({names[0], side.count, true});
  if (side.count == 0) return;
  fields.push_back({names[1], side.sum, true});
  fields.push_back({names[2], *side.mean(), false});
  fields.push_back({names[3], *side.min, false});
  fields.push_back({names[4], *side.max, false});
}

class Points {
 public:
  explicit Points(const Take& take) : take_(take) {}

  void operator()(const metrics::Distribution& reading) const {
    const Aggregate& aggregate = reading.aggregate;
    const bool has_no_go = aggregate.no_go().count != 0;
    Point point;
    if (aggregate.go().count != 0 || !has_no_go) append_side(kGo, aggregate.go(), point.fields);
    if (has_no_go) append_side(kNoGo, aggregate.no_go(), point.fields);
    take_(point);
  }

  void operator()(const metrics::OutcomeHistogram& reading) const {
    for (const auto& [outcome, count] : reading.buckets()) {
      const std::string_view text = outcome;
      const std::size_t slash = text.find('/');
      take_({text.substr(0, slash), text.substr(slash + 1), {{"", count, true}}});
    }
    if (reading.buckets().empty()) take_({"", "", {{"", std::uint64_t{0}, true}}});
  }

  void operator()(const metrics::Sum& reading) const { take_({"", "", {{"", reading.total, true}}}); }
  void operator()(const metrics::Level& reading) const { take_({"", "", {{"", reading.value, false}}}); }

 private:
  const Take& take_;
};

}  // namespace

void for_each_point(const metrics::ReportedMetric& metric, const Take& take) {
  std::visit(Points(take), metric.reading);
}

std::map<std::pair<std::string, std::string>, std::uint64_t> outlier_counts(const metrics::Report& report) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const metrics::Outlier& outlier : report.outliers) ++counts[{outlier.process, outlier.id}];
  return counts;
}

}  // namespace connscope::exporters
