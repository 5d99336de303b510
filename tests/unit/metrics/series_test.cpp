// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace connscope::metrics {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

WallTime created() { return WallTime(std::chrono::seconds(1'700'000'000)); }

TEST(Counter, P9_NeverFalls) {
  Counter counter(created());
  counter.add(std::uint64_t{3});
  EXPECT_FALSE(counter.add(-1.0));
  EXPECT_FALSE(counter.add(kNan));
  EXPECT_EQ(counter.total(), Number(std::uint64_t{3}));
  EXPECT_TRUE(counter.add(0.5));
  EXPECT_EQ(counter.total(), Number(3.5));
}

TEST(Counter, P9_FollowsAnotherCounterThroughItsRestart) {
  Counter counter(created());
  counter.follow(10);
  counter.follow(25);
  EXPECT_EQ(counter.total(), Number(std::uint64_t{25}));
  counter.follow(4);
  EXPECT_EQ(counter.total(), Number(std::uint64_t{29}));
  counter.follow(4);
  counter.follow(5);
  EXPECT_EQ(counter.total(), Number(std::uint64_t{30}));
}

TEST(Counter, P6_RemembersWhenItWasMade) { EXPECT_EQ(Counter(created()).value().created, created()); }

TEST(Gauge, HoldsTheLastValue) {
  Gauge gauge(created());
  EXPECT_EQ(gauge.value().value, Number(std::uint64_t{0}));
  gauge.set(-1.5);
  gauge.set(2.0);
  EXPECT_EQ(gauge.value().value, Number(2.0));
}

TEST(Unknown, HoldsTheLastValue) {
  Unknown unknown(created());
  unknown.set(std::uint64_t{4});
  EXPECT_EQ(unknown.value().value, Number(std::uint64_t{4}));
}

TEST(Histogram, P5_CountsEachValueOnceInItsBucket) {
  Histogram histogram(BucketLayout::create({1, 2}).value(), created());
  for (const double value : {0.5, 1.0, 1.5, 3.0}) histogram.observe(value);
  EXPECT_THAT(histogram.value().counts, ElementsAre(2, 1, 1));
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.sum(), 6.0);
  EXPECT_EQ(histogram.value().created, created());
}

TEST(Histogram, TakesCountsThatTheKernelMade) {
  Histogram histogram(BucketLayout::create({1, 2}).value(), created());
  histogram.add(1, 100, 150.0);
  histogram.add(77, 2, 9.0);
  EXPECT_THAT(histogram.value().counts, ElementsAre(0, 100, 2));
  EXPECT_EQ(histogram.sum(), 159.0);
}

TEST(GaugeHistogram, CanFall) {
  GaugeHistogram histogram(BucketLayout::create({1}).value(), created());
  histogram.observe(0.5);
  histogram.observe(4);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.sum(), 0.0);
}

TEST(Summary, CountsAndSumsAndShowsTheQuantilesGiven) {
  Summary summary(created());
  summary.observe(1);
  summary.observe(2);
  summary.set_quantiles({{0.5, 1}, {0.99, 2}});
  const SummaryValue value = summary.value();
  EXPECT_EQ(value.count, 2U);
  EXPECT_EQ(value.sum, 3.0);
  EXPECT_THAT(value.quantiles, ElementsAre(Pair(0.5, 1), Pair(0.99, 2)));
}

TEST(Info, P8_NamesAreMadeLegalAndStayDistinct) {
  Info info(created());
  info.set({{"go-version", "1.19"}, {"go.version", "second"}, {"__name__", "x"}});
  EXPECT_THAT(info.value().labels, ElementsAre(Pair("go_version", "1.19"), Pair("_name__", "x")));
  info.set({{"a", "b"}});
  EXPECT_THAT(info.value().labels, ElementsAre(Pair("a", "b")));
}

TEST(StateSet, HoldsEachStateOnce) {
  StateSet states(created());
  states.set("up", true);
  states.set("down", false);
  states.set("up", false);
  EXPECT_THAT(states.value().states, ElementsAre(Pair("up", false), Pair("down", false)));
}

}  // namespace
}  // namespace connscope::metrics
