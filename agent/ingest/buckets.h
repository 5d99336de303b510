// SPDX-License-Identifier: Apache-2.0
//
// The ready sets of buckets (FEATURES P10, P11): applications send values, not bounds. Which one a histogram has
// follows from its unit, so that all who write a family agree. Pure, any thread; layouts are shared and immutable.
#pragma once

#include <string_view>

#include "agent/metrics/bucket_layout.h"

namespace connscope::ingest {

/// "seconds": 1 ms to 100 s, as 1, 2.5, 5; "bytes": 1 KiB to 1 GiB, by fours; else 0.001 to 1,000,000 as 1, 2.5, 5.
[[nodiscard]] metrics::BucketLayout::Ptr ready_buckets(std::string_view unit);

}  // namespace connscope::ingest
