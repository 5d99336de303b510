// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/buckets.h"

#include <utility>
#include <vector>

namespace connscope::ingest {
namespace {

using metrics::BucketLayout;

BucketLayout::Ptr layout(std::vector<double> bounds) { return *BucketLayout::create(std::move(bounds)); }

}  // namespace

// Decades are written out: multiplied ones would show as 0.0025000000000000005.
BucketLayout::Ptr ready_buckets(std::string_view unit) {
  static const BucketLayout::Ptr kTimes =
      layout({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100});
  static const BucketLayout::Ptr kSizes =
      layout({1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824});
  static const BucketLayout::Ptr kAny =
      layout({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,   1,   2.5, 5,     10,  25,
              50,    100,    250,   500,  1000,  2500, 5000, 1e4,  2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6});
  if (unit == "seconds") return kTimes;
  return unit == "bytes" ? kSizes : kAny;
}

}  // namespace connscope::ingest
