// SPDX-License-Identifier: Apache-2.0
//
// The latency buckets against their definition: bound i is 2^(i/4) s, so its floor b in nanoseconds is the one integer
// with b^4 <= 2^i * 10^36 < (b + 1)^4. That is checked in exact integer arithmetic, for every bound.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "agent/metrics/bucket_layout.h"
#include "bpf/include/latency_bounds.h"
#include "tests/unit/bpf/kernel_half.h"

namespace connscope {
namespace {

const std::vector<std::uint64_t> kBoundsNs = {LATENCY_BOUNDS_NS};

/// A natural number of any size, its least significant 32 bits first.
using Natural = std::vector<std::uint32_t>;

Natural times(Natural number, std::uint64_t factor) {
  Natural product(number.size() + 2, 0);
  for (unsigned part = 0; part < 2; ++part) {
    const std::uint64_t digit = (factor >> (32U * part)) & 0xffffffffU;
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < number.size() || carry != 0; ++i) {
      const std::uint64_t sum = product[i + part] + carry + (i < number.size() ? number[i] * digit : 0);
      product[i + part] = static_cast<std::uint32_t>(sum);
      carry = sum >> 32U;
    }
  }
  while (!product.empty() && product.back() == 0) product.pop_back();
  return product;
}

bool less(const Natural& left, const Natural& right) {
  if (left.size() != right.size()) return left.size() < right.size();
  return std::lexicographical_compare(left.rbegin(), left.rend(), right.rbegin(), right.rend());
}

/// value^4 * 2^twos
Natural fourth_power(std::uint64_t value, int twos) {
  Natural power = {1};
  for (int i = 0; i < 4; ++i) power = times(power, value);
  for (int i = 0; i < twos; ++i) power = times(power, 2);
  return power;
}

TEST(LatencyBounds, AreTheExactFloors) {
  ASSERT_EQ(kBoundsNs.size(), std::size_t{LATENCY_BOUNDS});
  for (int i = LATENCY_FIRST; i <= LATENCY_LAST; ++i) {
    const std::uint64_t bound = kBoundsNs[static_cast<std::size_t>(i - LATENCY_FIRST)];
    // For a negative i the power of two goes to the other side of the inequality.
    const Natural limit = fourth_power(1'000'000'000, i > 0 ? i : 0);
    const int twos = i < 0 ? -i : 0;
    EXPECT_FALSE(less(limit, fourth_power(bound, twos))) << "bound " << i << " is too large";
    EXPECT_TRUE(less(limit, fourth_power(bound + 1, twos))) << "bound " << i << " is too small";
  }
}

TEST(LatencyBucket, IsTheFirstWhoseBoundIsNotBelow) {
  for (std::uint64_t bucket = 0; bucket < kBoundsNs.size(); ++bucket) {
    const std::uint64_t below = bucket == 0 ? 0 : kBoundsNs[bucket - 1];
    EXPECT_EQ(kernel_latency_bucket(below + (bucket == 0 ? 0 : 1)), bucket);
    EXPECT_EQ(kernel_latency_bucket(kBoundsNs[bucket]), bucket);
    EXPECT_EQ(kernel_latency_bucket(kBoundsNs[bucket] + 1), bucket + 1);
  }
  EXPECT_EQ(kernel_latency_bucket(std::numeric_limits<std::uint64_t>::max()), LATENCY_BUCKETS - 1);
}

TEST(LatencyBucket, IsTheSameAsTheLayoutsForAnyDuration) {
  const auto layout = metrics::BucketLayout::exponential(LATENCY_SCHEMA, LATENCY_FIRST, LATENCY_LAST, 4);
  ASSERT_EQ(layout->bucket_count(), std::size_t{LATENCY_BUCKETS});
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same every time, on purpose
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t duration_ns = random() >> (random() % 60U);
    // As a double a duration may round onto a bound that it is next to; those are for the tests above.
    const auto index = layout->bucket_of(static_cast<double>(duration_ns) * 1e-9);
    const auto bucket = kernel_latency_bucket(duration_ns);
    if (index != bucket) {
      const double bound = layout->bounds()[std::min<std::size_t>(index, bucket)];
      EXPECT_NEAR(static_cast<double>(duration_ns) * 1e-9 / bound, 1.0, 1e-9) << duration_ns;
    }
  }
}

}  // namespace
}  // namespace connscope
