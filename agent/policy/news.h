// SPDX-License-Identifier: Apache-2.0
//
// What happened to one series between two snapshots, added to a reading. Pure functions; any thread.
#pragma once

#include <string>

#include "agent/metrics/report.h"
#include "agent/metrics/snapshot.h"

namespace connscope::policy {

/// What a series is to its metric.
struct SeriesRole {
  bool ok = true;         ///< of a histogram: go, or no-go
  std::string outcome;    ///< of a counter: which bucket of an outcome histogram; empty for a plain sum
  bool external = false;  ///< its first value began before the agent, so it is no news
};

/// The least and the greatest of some values of which only buckets and sum are known: as near as these let one say,
/// with least <= mean <= greatest, and exact for one value.
struct Range {
  double low = 0;
  double high = 0;
};
[[nodiscard]] Range range_of(const metrics::HistogramValue& now, const metrics::HistogramValue* before,
                             std::uint64_t count, double sum);

/// Adds the news to `into`, whose kind fits the family's type. `before` is nullptr when the series is new. True when
/// there was any. A total that fell began anew from zero.
bool add_news(const metrics::Value* before, const metrics::Value& now, const SeriesRole& role, metrics::Reading& into);

}  // namespace connscope::policy
