// SPDX-License-Identifier: Apache-2.0
//
// Distribution: the observations of a histogram as the terminal needs them, which can be added to others and have an
// earlier state taken away. Values are in the metric's own unit. What is said of single observations is known as well
// as the buckets are fine: agent/metrics/bucket_layout.h. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace connscope::terminal {

class Distribution {
 public:
  struct Bucket {
    double low = 0;  ///< exclusive
    std::uint64_t count = 0;
  };

  /// `high` is the bucket's inclusive upper bound, +Inf for the last.
  void add_bucket(double low, double high, std::uint64_t count);
  void add_sum(double sum) { sum_ += sum; }
  /// For observations of which no bucket is known.
  void add_count(std::uint64_t count) { count_ += count; }

  void add(const Distribution& other);
  /// What came after `earlier`, which was this one's state before. Where that had more, as before a restart, nothing is
  /// taken away.
  [[nodiscard]] Distribution since(const Distribution& earlier) const;

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] const std::map<double, Bucket>& buckets() const { return buckets_; }

  [[nodiscard]] std::optional<double> mean() const;
  /// Bounds of the buckets of the least and of the greatest: low() <= mean() <= high(). Where the last bucket has no
  /// bound, its lower one.
  [[nodiscard]] std::optional<double> low() const;
  [[nodiscard]] std::optional<double> high() const;
  /// The upper bound of the bucket that the quantile (0 to 1) lies in, but not more than high().
  [[nodiscard]] std::optional<double> quantile(double share) const;

 private:
  std::map<double, Bucket> buckets_;  // by upper bound; none is empty
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace connscope::terminal
