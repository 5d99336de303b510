// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/aggregate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace connscope::metrics {
namespace {

WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(Aggregate, L1_ThreeGoodConnectsAndOneRefused) {
  Aggregate connects(at(100));
  for (const double seconds : {0.002, 0.001, 0.006}) connects.observe(true, seconds);
  connects.observe(false, 0.5);

  EXPECT_EQ(connects.go().count, 3U);
  EXPECT_DOUBLE_EQ(connects.go().sum, 0.009);
  EXPECT_EQ(connects.go().min, 0.001);
  EXPECT_EQ(connects.go().max, 0.006);
  EXPECT_DOUBLE_EQ(connects.go().mean().value(), 0.003);
  EXPECT_EQ(connects.no_go().count, 1U);
  EXPECT_EQ(connects.no_go().min, 0.5);
  EXPECT_EQ(connects.no_go().max, 0.5);
  EXPECT_EQ(connects.no_go().mean(), 0.5);
  EXPECT_EQ(connects.period_start(), at(100));
}

TEST(Aggregate, L1_NothingObservedHasNoMinMaxOrMean) {
  const Aggregate idle(at(1));
  EXPECT_EQ(idle.go().count, 0U);
  EXPECT_EQ(idle.go().min, std::nullopt);
  EXPECT_EQ(idle.go().max, std::nullopt);
  EXPECT_EQ(idle.go().mean(), std::nullopt);
}

TEST(Aggregate, L1_MinStartsAgainFromNoneAfterAReset) {
  Aggregate aggregate(at(1));
  aggregate.observe(true, 0.001);
  aggregate.observe(false, 0.002);
  aggregate.reset(at(31));
  EXPECT_EQ(aggregate.period_start(), at(31));
  EXPECT_EQ(aggregate.go().count, 0U);
  EXPECT_EQ(aggregate.no_go().count, 0U);
  EXPECT_EQ(aggregate.go().min, std::nullopt);

  aggregate.observe(true, 7);
  EXPECT_EQ(aggregate.go().min, 7);
  EXPECT_EQ(aggregate.go().max, 7);
  EXPECT_EQ(aggregate.go().sum, 7);
}

TEST(Aggregate, BucketedValuesLieBetweenTheirBounds) {
  Aggregate aggregate(at(1));
  aggregate.add_bucketed(true, 4, 6.0, 1.0, 2.0);
  aggregate.add_bucketed(true, 1, 0.75, 0.5, 1.0);
  EXPECT_EQ(aggregate.go().count, 5U);
  EXPECT_EQ(aggregate.go().sum, 6.75);
  EXPECT_EQ(aggregate.go().min, 0.5);
  EXPECT_EQ(aggregate.go().max, 2.0);
  EXPECT_EQ(aggregate.go().mean(), 1.35);
}

TEST(Aggregate, NoValuesAndNanChangeNothing) {
  Aggregate aggregate(at(1));
  aggregate.add_bucketed(true, 0, 0, 1, 2);
  aggregate.observe(true, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(aggregate.go().count, 0U);
  EXPECT_EQ(aggregate.go().min, std::nullopt);
}

TEST(OutcomeHistogram, L2_TwoExpiredAndOneNxdomain) {
  OutcomeHistogram failures;
  failures.add("expired");
  failures.add("nxdomain");
  failures.add("expired");
  EXPECT_EQ(failures.count("expired"), 2U);
  EXPECT_EQ(failures.count("nxdomain"), 1U);
  EXPECT_EQ(failures.count("hostname"), 0U);
  EXPECT_EQ(failures.total(), 3U);
  EXPECT_EQ(failures.buckets(), (OutcomeHistogram::Buckets{{"expired", 2}, {"nxdomain", 1}}));
}

TEST(OutcomeHistogram, L2_CountsAre64BitsAndResetForgetsThem) {
  OutcomeHistogram failures;
  failures.add("refused", std::uint64_t{1} << 40U);
  EXPECT_EQ(failures.total(), std::uint64_t{1} << 40U);
  failures.reset();
  EXPECT_EQ(failures.total(), 0U);
  EXPECT_TRUE(failures.buckets().empty());
}

}  // namespace
}  // namespace connscope::metrics
