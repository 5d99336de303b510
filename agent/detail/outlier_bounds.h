// SPDX-License-Identifier: Apache-2.0
//
// OutlierBounds: what a policy holds to be usual for one process and metric. Durations outside are told as outliers, by
// the kernel itself, which therefore must know the bounds beforehand: they come from the samples before (FEATURES,
// mistake 7). The collecting thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/detail/connection.h"

namespace connscope::detail {

/// A duration is an outlier when it is below low_ns or above high_ns.
struct Bounds {
  std::uint64_t low_ns = 0;
  std::uint64_t high_ns = 0;
  std::uint64_t mean_ns = 0;  ///< given back with each outlier
  bool operator==(const Bounds&) const = default;
};

class OutlierBounds {
 public:
  virtual ~OutlierBounds() = default;

  /// For all who have the label `process`, those who come later too, until it is set anew or cleared. Metric::kLife has
  /// none.
  virtual void set_bounds(std::string_view process, Metric metric, const Bounds& bounds) = 0;
  virtual void clear_bounds(std::string_view process, Metric metric) = 0;
};

}  // namespace connscope::detail
