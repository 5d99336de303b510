// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/bucket_layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

namespace connscope::metrics {

namespace {

Status check_bounds(const std::vector<double>& bounds) {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const std::string which = "bucket bound " + std::to_string(i) + " (" + std::to_string(bounds[i]) + ")";
    if (!std::isfinite(bounds[i])) return Error(which + " must be finite: the bucket for +Inf is implied");
    if (i > 0 && bounds[i] <= bounds[i - 1]) return Error(which + " must be above the one before it");
  }
  return {};
}

Status check_text_bounds(const std::vector<std::size_t>& text_bounds, std::size_t bound_count) {
  for (std::size_t i = 0; i < text_bounds.size(); ++i) {
    const std::string which = "text bound " + std::to_string(i) + " (index " + std::to_string(text_bounds[i]) + ")";
    if (text_bounds[i] >= bound_count) {
      return Error(which + " must be below the number of bounds, " + std::to_string(bound_count));
    }
    if (i > 0 && text_bounds[i] <= text_bounds[i - 1]) return Error(which + " must be above the one before it");
  }
  return {};
}

/// 2^(i / 2^schema), rounded once: the fraction in long double, the octave exactly.
double exponential_bound(int schema, int i) {
  const int per_octave = 1 << schema;
  const int within = ((i % per_octave) + per_octave) % per_octave;
  const long double fraction = std::exp2(static_cast<long double>(within) / static_cast<long double>(per_octave));
  return std::ldexp(static_cast<double>(fraction), (i - within) / per_octave);
}

}  // namespace

BucketLayout::BucketLayout(std::vector<double> bounds, std::vector<std::size_t> text_bounds)
    : bounds_(std::move(bounds)), text_bounds_(std::move(text_bounds)) {}

Result<BucketLayout::Ptr> BucketLayout::create(std::vector<double> bounds, std::vector<std::size_t> text_bounds) {
  if (auto legal = check_bounds(bounds); !legal) return legal.error();
  if (auto legal = check_text_bounds(text_bounds, bounds.size()); !legal) return legal.error();
  return Ptr(new BucketLayout(std::move(bounds), std::move(text_bounds)));
}

Result<BucketLayout::Ptr> BucketLayout::create(std::vector<double> bounds) {
  std::vector<std::size_t> all(bounds.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return create(std::move(bounds), std::move(all));
}

BucketLayout::Ptr BucketLayout::exponential(int schema, int first, int last, int text_step) {
  std::vector<double> bounds;
  std::vector<std::size_t> text_bounds;
  for (int i = first; i <= last; ++i) {
    if (i % text_step == 0) text_bounds.push_back(bounds.size());
    bounds.push_back(exponential_bound(schema, i));
  }
  auto* layout = new BucketLayout(std::move(bounds), std::move(text_bounds));
  layout->exponential_ = Exponential{schema, first};
  return Ptr(layout);
}

std::size_t BucketLayout::bucket_of(double value) const {
  if (std::isnan(value)) return bounds_.size();
  return static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin());
}

}  // namespace connscope::metrics
