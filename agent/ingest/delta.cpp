// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/delta.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace connscope::ingest {
namespace {

// Whole numbers beyond are none that a double can tell apart.
constexpr double kGreatestWhole = 9007199254740992.0;  // 2^53

}  // namespace

void CounterDelta::add(double step) {
  const bool fits = whole < std::uint64_t{1} << 63U && step <= kGreatestWhole;
  const auto steps = fits ? static_cast<std::uint64_t>(step) : 0;
  if (fits && static_cast<double>(steps) == step) {
    whole += steps;
  } else {
    part += step;
  }
}

void GaugeDelta::set(double now, std::uint64_t at) {
  is_set = true;
  value = now;
  order = at;
}

void GaugeDelta::add(double step, std::uint64_t at) {
  value += step;
  order = at;
}

HistogramDelta::HistogramDelta(metrics::BucketLayout::Ptr buckets)
    : layout(std::move(buckets)), counts(layout->bucket_count(), 0) {}

void HistogramDelta::observe(double value, double rate) {
  if (rate == 1) {  // the usual, without a division
    ++counts[layout->bucket_of(value)];
    sum += value;
    return;
  }
  carry += 1 / rate;
  const double events = std::floor(carry);
  carry -= events;
  counts[layout->bucket_of(value)] += static_cast<std::uint64_t>(std::min(events, kGreatestWhole));
  sum += value / rate;
}

}  // namespace connscope::ingest
