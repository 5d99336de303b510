// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/bucket_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace connscope::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kFirst = -80;
constexpr int kLast = 28;

BucketLayout::Ptr latency_layout() { return BucketLayout::exponential(2, kFirst, kLast, 4); }

TEST(BucketLayout, P5_BoundsAreInclusiveAndInfIsAlwaysThere) {
  const auto layout = BucketLayout::create({1, 2, 5}).value();
  EXPECT_EQ(layout->bucket_count(), 4U);
  EXPECT_EQ(layout->bucket_of(-kInf), 0U);
  EXPECT_EQ(layout->bucket_of(1), 0U);
  EXPECT_EQ(layout->bucket_of(std::nextafter(1, kInf)), 1U);
  EXPECT_EQ(layout->bucket_of(5), 2U);
  EXPECT_EQ(layout->bucket_of(5.1), 3U);
  EXPECT_EQ(layout->bucket_of(kInf), 3U);
  EXPECT_EQ(layout->bucket_of(kNan), 3U);
}

TEST(BucketLayout, NoBoundsAtAllStillHaveTheLastBucket) {
  const auto layout = BucketLayout::create({}).value();
  EXPECT_EQ(layout->bucket_count(), 1U);
  EXPECT_EQ(layout->bucket_of(3), 0U);
}

TEST(BucketLayout, EveryBoundIsShownUnlessToldOtherwise) {
  EXPECT_THAT(BucketLayout::create({1, 2, 5}).value()->text_bounds(), ElementsAre(0, 1, 2));
  EXPECT_THAT(BucketLayout::create({1, 2, 5}, {1}).value()->text_bounds(), ElementsAre(1));
  EXPECT_EQ(BucketLayout::create({1, 2, 5}).value()->exponential(), std::nullopt);
}

TEST(BucketLayout, RefusesBoundsThatMakeNoHistogram) {
  const auto message = [](std::vector<double> bounds) {
    return BucketLayout::create(std::move(bounds)).error().message();
  };
  EXPECT_THAT(message({1, kInf}), HasSubstr("bucket bound 1 (inf) must be finite"));
  EXPECT_THAT(message({kNan}), HasSubstr("bucket bound 0"));
  EXPECT_THAT(message({1, 1}), HasSubstr("bucket bound 1 (1.000000) must be above the one before it"));
  EXPECT_THAT(message({2, 1}), HasSubstr("must be above"));
}

TEST(BucketLayout, RefusesTextBoundsThatDoNotExist) {
  EXPECT_THAT(BucketLayout::create({1, 2}, {2}).error().message(), HasSubstr("text bound 0 (index 2) must be below"));
  EXPECT_THAT(BucketLayout::create({1, 2}, {1, 1}).error().message(),
              HasSubstr("text bound 1 (index 1) must be above"));
}

TEST(LatencyLayout, HasFourBoundsAnOctaveFromAMicrosecondToTwoMinutes) {
  const auto layout = latency_layout();
  ASSERT_EQ(layout->bounds().size(), 109U);
  EXPECT_EQ(layout->bounds().front(), std::ldexp(1.0, -20));
  EXPECT_EQ(layout->bounds().back(), 128.0);
  EXPECT_EQ(layout->exponential()->schema, 2);
  EXPECT_EQ(layout->exponential()->first, kFirst);
}

// 2^(i/4) lies between two doubles; the bound is the nearer one. The fourth powers of the middles to the neighbours
// decide that without any root: (b - u/2)^4 < 2^i < (b + u/2)^4.
TEST(LatencyLayout, EveryBoundIsTheNearestDouble) {
  const auto layout = latency_layout();
  for (int i = kFirst; i <= kLast; ++i) {
    const double bound = layout->bounds()[static_cast<std::size_t>(i - kFirst)];
    const auto fourth_power = [](long double x) { return x * x * x * x; };
    const long double below = (static_cast<long double>(bound) + std::nextafter(bound, 0)) / 2;
    const long double above = (static_cast<long double>(bound) + std::nextafter(bound, kInf)) / 2;
    const long double exact = std::ldexp(1.0L, i);
    EXPECT_LT(fourth_power(below), exact) << i;
    EXPECT_GT(fourth_power(above), exact) << i;
  }
}

TEST(LatencyLayout, EveryBoundBelongsToItsBucketAndTheNextDoubleToTheNext) {
  const auto layout = latency_layout();
  for (std::size_t i = 0; i < layout->bounds().size(); ++i) {
    const double bound = layout->bounds()[i];
    EXPECT_EQ(layout->bucket_of(bound), i);
    EXPECT_EQ(layout->bucket_of(std::nextafter(bound, 0)), i);
    EXPECT_EQ(layout->bucket_of(std::nextafter(bound, kInf)), i + 1);
  }
}

// The kernel counts in nanoseconds. The last nanosecond below each bound and the first above it fall to its two sides.
TEST(LatencyLayout, NanosecondsOnBothSidesOfEveryBound) {
  const auto layout = latency_layout();
  for (std::size_t i = 0; i < layout->bounds().size(); ++i) {
    const double last_ns = std::floor(layout->bounds()[i] * 1e9);
    EXPECT_EQ(layout->bucket_of(last_ns / 1e9), i) << last_ns;
    EXPECT_EQ(layout->bucket_of((last_ns + 1) / 1e9), i + 1) << last_ns;
  }
}

TEST(LatencyLayout, TextShowsTheWholePowersOfTwo) {
  const auto layout = latency_layout();
  ASSERT_EQ(layout->text_bounds().size(), 28U);
  for (std::size_t i = 0; i < 28; ++i) {
    EXPECT_EQ(layout->bounds()[layout->text_bounds()[i]], std::ldexp(1.0, static_cast<int>(i) - 20));
  }
}

TEST(ExponentialLayout, TextStepCountsFromPowersNotFromTheFirstBound) {
  const auto layout = BucketLayout::exponential(1, -3, 3, 2);
  EXPECT_THAT(layout->text_bounds(), ElementsAre(1, 3, 5));
  EXPECT_EQ(layout->bounds()[1], 0.5);
  EXPECT_EQ(layout->bounds()[3], 1.0);
  EXPECT_EQ(layout->bounds()[5], 2.0);
}

}  // namespace
}  // namespace connscope::metrics
