// SPDX-License-Identifier: Apache-2.0
//
// The hostile snapshot (tests/conformance) as a report that accumulates, for golden tests of what sends reports: all
// that a policy would take of it.
#pragma once

#include <optional>

#include "tests/conformance/hostile_snapshot.h"
#include "tests/unit/exporters/reports.h"

namespace connscope::exporters::test {

inline std::optional<Reading> reading_of(const metrics::Value& value) {
  if (const auto* counter = std::get_if<metrics::CounterValue>(&value)) return Sum{1, counter->total};
  if (const auto* gauge = std::get_if<metrics::GaugeValue>(&value)) return Level{gauge->value};
  if (const auto* histogram = std::get_if<metrics::HistogramValue>(&value)) {
    Distribution made({});
    std::uint64_t count = 0;
    for (const std::uint64_t in_bucket : histogram->counts) count += in_bucket;
    made.aggregate.add_bucketed(true, count, histogram->sum, 0, histogram->layout->bounds().back());
    return made;
  }
  return std::nullopt;
}

inline Report hostile_report() {
  Report report = report_of({}, true);
  report.end = metrics::WallTime(std::chrono::milliseconds(1'700'000'000'012));
  const auto snapshot = connscope::test::make_hostile_snapshot();
  for (const auto& family : snapshot->families) {
    for (const auto& sample : family.samples) {
      auto reading = reading_of(sample.value);
      if (!reading) continue;
      report.metrics.push_back(
          {family.descriptor, metrics::metric_id(*family.descriptor, *sample.label_values), {}, std::move(*reading)});
    }
  }
  report.metrics.push_back(metric_of("u i\n", "n.cn.failures", "", outcomes_of({{"dns/nxdomain", 8}, {"tls/a b,c", 2}}),
                                     {{"role", "cli ent\xff"}}));
  report.outliers = {outlier()};
  return report;
}

}  // namespace connscope::exporters::test
