// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/distribution.h"

#include <algorithm>
#include <cmath>

namespace connscope::terminal {
namespace {

/// A bound that can be shown: the last bucket has none but its lower one.
double finite_bound(double high, const Distribution::Bucket& bucket) { return std::isinf(high) ? bucket.low : high; }

}  // namespace

void Distribution::add_bucket(double low, double high, std::uint64_t count) {
  if (count == 0) return;
  Bucket& bucket = buckets_[high];
  bucket.low = low;
  bucket.count += count;
  count_ += count;
}

void Distribution::add(const Distribution& other) {
  const std::uint64_t count = count_ + other.count_;
  for (const auto& [high, bucket] : other.buckets_) add_bucket(bucket.low, high, bucket.count);
  count_ = count;
  sum_ += other.sum_;
}

Distribution Distribution::since(const Distribution& earlier) const {
  if (earlier.count_ > count_) return *this;
  Distribution later;
  for (const auto& [high, bucket] : buckets_) {
    const auto before = earlier.buckets_.find(high);
    const std::uint64_t gone = before == earlier.buckets_.end() ? 0 : before->second.count;
    later.add_bucket(bucket.low, high, bucket.count - std::min(bucket.count, gone));
  }
  later.count_ = count_ - earlier.count_;
  later.sum_ = sum_ - earlier.sum_;
  return later;
}

std::optional<double> Distribution::mean() const {
  if (count_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(count_);
}

std::optional<double> Distribution::low() const {
  if (buckets_.empty()) return std::nullopt;
  if (count_ == 1) return mean();
  return std::min(buckets_.begin()->second.low, *mean());
}

std::optional<double> Distribution::high() const {
  if (buckets_.empty()) return std::nullopt;
  if (count_ == 1) return mean();
  return std::max(finite_bound(buckets_.rbegin()->first, buckets_.rbegin()->second), *mean());
}

std::optional<double> Distribution::quantile(double share) const {
  if (buckets_.empty()) return std::nullopt;
  const auto rank =
      std::max(std::uint64_t{1}, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t below = 0;
  for (const auto& [bound, bucket] : buckets_) {
    below += bucket.count;
    if (below >= rank) return std::min(finite_bound(bound, bucket), *high());
  }
  return high();
}

}  // namespace connscope::terminal
