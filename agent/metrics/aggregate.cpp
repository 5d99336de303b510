// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/aggregate.h"

#include <algorithm>
#include <cmath>

namespace connscope::metrics {

std::optional<double> Aggregate::Side::mean() const {
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

void Aggregate::add_bucketed(bool ok, std::uint64_t count, double sum, double low, double high) {
  if (count == 0 || std::isnan(sum) || std::isnan(low) || std::isnan(high)) return;
  Side& side = ok ? go_ : no_go_;
  side.count += count;
  side.sum += sum;
  side.min = std::min(side.min.value_or(low), low);
  side.max = std::max(side.max.value_or(high), high);
}

void Aggregate::merge(const Aggregate& other) {
  for (const bool ok : {true, false}) {
    const Side& side = ok ? other.go_ : other.no_go_;
    add_bucketed(ok, side.count, side.sum, side.min.value_or(0), side.max.value_or(0));
  }
}

void OutcomeHistogram::add(std::string_view outcome, std::uint64_t count) {
  auto bucket = buckets_.find(outcome);
  if (bucket == buckets_.end()) bucket = buckets_.emplace(outcome, 0).first;
  bucket->second += count;
  total_ += count;
}

std::uint64_t OutcomeHistogram::count(std::string_view outcome) const {
  const auto bucket = buckets_.find(outcome);
  return bucket == buckets_.end() ? 0 : bucket->second;
}

}  // namespace connscope::metrics
