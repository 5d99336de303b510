// SPDX-License-Identifier: Apache-2.0
//
// What a reporting policy keeps of one metric over its period, beside the totals for life that are scraped (FEATURES
// L1, L2, and "Mistakes" 5 and 6). Values are in the metric's own unit. There is no clock in here: the caller passes
// the time. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// Count, sum, least, greatest and mean, for what succeeded (go) and for what failed (no-go).
class Aggregate {
 public:
  struct Side {
    std::uint64_t count = 0;
    double sum = 0;
    std::optional<double> min;  ///< none until something was observed
    std::optional<double> max;
    [[nodiscard]] std::optional<double> mean() const;
  };

  explicit Aggregate(WallTime period_start) : period_start_(period_start) {}

  /// NaN is no measurement and changes nothing.
  void observe(bool ok, double value) { add_bucketed(ok, 1, value, value, value); }
  /// `count` values that add up to `sum`, of which no more is known than that they lie between `low` and `high`: these
  /// stand for the least and the greatest.
  void add_bucketed(bool ok, std::uint64_t count, double sum, double low, double high);
  /// Adds what another has gathered; the period's start stays.
  void merge(const Aggregate& other);
  /// Starts a new period, in which nothing was observed yet.
  void reset(WallTime now) { *this = Aggregate(now); }

  [[nodiscard]] const Side& go() const { return go_; }
  [[nodiscard]] const Side& no_go() const { return no_go_; }
  [[nodiscard]] WallTime period_start() const { return period_start_; }

 private:
  Side go_;
  Side no_go_;
  WallTime period_start_;
};

/// How often each of a set of named outcomes came about.
class OutcomeHistogram {
 public:
  using Buckets = std::map<std::string, std::uint64_t, std::less<>>;

  void add(std::string_view outcome, std::uint64_t count = 1);
  void reset() { *this = OutcomeHistogram(); }

  /// 0 for an outcome that never came about.
  [[nodiscard]] std::uint64_t count(std::string_view outcome) const;
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] const Buckets& buckets() const { return buckets_; }

 private:
  Buckets buckets_;
  std::uint64_t total_ = 0;
};

}  // namespace connscope::metrics
