// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/distribution.h"

#include <gtest/gtest.h>

#include <limits>

namespace connscope::terminal {
namespace {

Distribution ten_and_one() {
  Distribution distribution;
  distribution.add_bucket(0.5, 1, 10);
  distribution.add_bucket(64, 128, 1);
  distribution.add_sum(108);
  return distribution;
}

TEST(Distribution, SaysAsMuchAsItsBucketsDo) {
  const Distribution distribution = ten_and_one();
  EXPECT_EQ(distribution.count(), 11U);
  EXPECT_DOUBLE_EQ(*distribution.mean(), 108.0 / 11);
  EXPECT_EQ(distribution.low(), 0.5);
  EXPECT_EQ(distribution.high(), 128);
  EXPECT_EQ(distribution.quantile(0.5), 1);
  EXPECT_EQ(distribution.quantile(0.9), 1);
  EXPECT_EQ(distribution.quantile(0.95), 128);
  EXPECT_EQ(distribution.quantile(0), 1);
  EXPECT_EQ(distribution.quantile(1), 128);
}

TEST(Distribution, OfOneObservationItIsExact) {
  Distribution distribution;
  distribution.add_bucket(0.5, 1, 1);
  distribution.add_sum(0.7);
  EXPECT_EQ(distribution.low(), 0.7);
  EXPECT_EQ(distribution.high(), 0.7);
  EXPECT_EQ(distribution.quantile(0.95), 0.7);
}

TEST(Distribution, OfNothingItSaysNothing) {
  const Distribution none;
  EXPECT_FALSE(none.mean() || none.low() || none.high() || none.quantile(0.5));
}

TEST(Distribution, TheLastBucketHasItsLowerBound) {
  Distribution distribution;
  distribution.add_bucket(128, std::numeric_limits<double>::infinity(), 2);
  distribution.add_sum(300);
  EXPECT_EQ(distribution.high(), 150);  // the mean is known to be more than 128
  EXPECT_EQ(distribution.quantile(0.5), 128);
}

TEST(Distribution, ASummaryHasNoBuckets) {
  Distribution distribution;
  distribution.add_count(4);
  distribution.add_sum(2);
  EXPECT_EQ(distribution.mean(), 0.5);
  EXPECT_FALSE(distribution.low() || distribution.quantile(0.5));
}

TEST(Distribution, TakesAwayWhatWasBefore) {
  Distribution now = ten_and_one();
  const Distribution before = now;
  now.add_bucket(0.5, 1, 2);
  now.add_bucket(2, 4, 1);
  now.add_sum(4.5);
  const Distribution since = now.since(before);
  EXPECT_EQ(since.count(), 3U);
  EXPECT_DOUBLE_EQ(since.sum(), 4.5);
  EXPECT_EQ(since.low(), 0.5);
  EXPECT_EQ(since.high(), 4);
  EXPECT_EQ(before.since(now).count(), before.count());  // it began anew
}

}  // namespace
}  // namespace connscope::terminal
