// SPDX-License-Identifier: Apache-2.0
//
// Makes reports for tests of exporters: what a policy would have gathered in 884.563 ms.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/report.h"

namespace connscope::exporters::test {

using metrics::Aggregate;
using metrics::Distribution;
using metrics::Labels;
using metrics::Level;
using metrics::OutcomeHistogram;
using metrics::Reading;
using metrics::Report;
using metrics::Sum;

inline Report report_of(std::vector<metrics::ReportedMetric> metrics, bool accumulated = false) {
  Report report{"p", metrics::Occasion::kPeriod, {}, accumulated, {}, {}, 0};
  report.end = metrics::WallTime(std::chrono::microseconds(884'563));
  report.metrics = std::move(metrics);
  return report;
}

inline metrics::ReportedMetric metric_of(std::string prefix, std::string id, const char* unit, Reading reading,
                                         Labels tags = {}) {
  const auto descriptor =
      std::make_shared<const metrics::FamilyDescriptor>(metrics::FamilyDescriptor{"x", "", unit, {}, "", id});
  return {descriptor, {std::move(prefix), std::move(id), std::move(tags)}, {}, std::move(reading)};
}

struct Side {
  std::uint64_t count;
  double sum, min, max;
};

inline Distribution distribution_of(Side go, Side no_go = {}) {
  Distribution made({});
  made.aggregate.add_bucketed(true, go.count, go.sum, go.min, go.max);
  made.aggregate.add_bucketed(false, no_go.count, no_go.sum, no_go.min, no_go.max);
  return made;
}

inline OutcomeHistogram outcomes_of(const std::vector<std::pair<const char*, std::uint64_t>>& counts) {
  OutcomeHistogram made;
  for (const auto& [outcome, count] : counts) made.add(outcome, count);
  return made;
}

inline metrics::Outlier outlier() {
  metrics::Outlier made;
  made.process = "ui";
  made.id = "n.cn.tcp";
  made.seconds = 0.1;
  made.mean_seconds = 0.001;
  made.pid = 4711;
  made.peer = "192.0.2.1:443";
  made.host = "db\nexample";
  return made;
}

}  // namespace connscope::exporters::test
