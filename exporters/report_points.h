// SPDX-License-Identifier: Apache-2.0
//
// What a metric of a report says, as numbers with names, which every line protocol writes in its own way:
//
//   a distribution      one point: go.count, go.sum, go.mean, go.min, go.max, and no_go.… where something failed
//   outcomes            a point for each, with its stage and reason, and one number without a name
//   a counter, a gauge  one point of one number without a name
//
// Where nothing happened there is a count of 0. Points live as long as the metric. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/metrics/report.h"

namespace connscope::exporters {

struct PointField {
  std::string_view name;  ///< may be empty
  metrics::Number value;
  /// True: what came about in the report's time, so that the numbers of two reports add up; false: a level.
  bool adds_up = false;
};

struct Point {
  std::string_view stage;   ///< of an outcome; else empty
  std::string_view reason;  ///< likewise
  std::vector<PointField> fields;
};

void for_each_point(const metrics::ReportedMetric& metric, const std::function<void(const Point&)>& take);

/// How many outliers there are of each metric of each process: by process and id.
[[nodiscard]] std::map<std::pair<std::string, std::string>, std::uint64_t> outlier_counts(
    const metrics::Report& report);

}  // namespace connscope::exporters
