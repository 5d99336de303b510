// SPDX-License-Identifier: Apache-2.0
//
// What a series of an application has gained since the collecting thread last took it. One thread at a time. Values are
// in the unit of the series' family.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <variant>
#include <vector>

#include "agent/metrics/bucket_layout.h"

namespace connscope::ingest {

/// Whole steps stay integers, so that four million increments are four million.
struct CounterDelta {
  std::uint64_t whole = 0;
  double part = 0;

  /// `step` is not negative.
  void add(double step);
};

/// The last value set, with what was added to it since; or only what was added.
struct GaugeDelta {
  bool is_set = false;
  double value = 0;
  std::uint64_t order = 0;  ///< of the last line, over all gauges: who wrote last is right

  void set(double now, std::uint64_t at);
  void add(double step, std::uint64_t at);
};

struct HistogramDelta {
  metrics::BucketLayout::Ptr layout;
  std::vector<std::uint64_t> counts;
  double sum = 0;
  double carry = 0;  ///< of events that sampling stands for, less than one

  explicit HistogramDelta(metrics::BucketLayout::Ptr buckets);
  /// An event that stands for 1 / `rate` of its like.
  void observe(double value, double rate);
};

/// Distinct values, by hash, since its period began.
struct SetDelta {
  std::unordered_set<std::uint64_t> hashes;
};

using Delta = std::variant<CounterDelta, GaugeDelta, HistogramDelta, SetDelta>;

}  // namespace connscope::ingest
