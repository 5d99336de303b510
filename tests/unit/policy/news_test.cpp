// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/news.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace connscope::policy {
namespace {

using metrics::BucketLayout;
using metrics::CounterValue;
using metrics::GaugeValue;
using metrics::HistogramValue;
using metrics::Number;
using metrics::Reading;

HistogramValue histogram(const BucketLayout::Ptr& layout, const std::vector<double>& values) {
  HistogramValue made{layout, std::vector<std::uint64_t>(layout->bucket_count(), 0), 0, {}};
  for (const double value : values) {
    ++made.counts[layout->bucket_of(value)];
    made.sum += value;
  }
  return made;
}

BucketLayout::Ptr latency() { return BucketLayout::exponential(2, -80, 28, 4); }

Range range(const std::vector<double>& values) {
  const HistogramValue made = histogram(latency(), values);
  return range_of(made, nullptr, values.size(), made.sum);
}

TEST(Range, IsExactForOneValue) {
  for (const double value : {0.00123, 1e-9, 1e6, 127.9}) {
    EXPECT_DOUBLE_EQ(range({value}).low, value);
    EXPECT_DOUBLE_EQ(range({value}).high, value);
  }
}

TEST(Range, KeepsTheOneThatIsFarOff) {
  const Range found = range({0.001, 0.001, 0.001, 0.1});
  EXPECT_NEAR(found.low, 0.001, 0.001 * 0.2);
  EXPECT_NEAR(found.high, 0.1, 0.1 * 0.2);
}

TEST(Range, LeastMeanAndGreatestAreInOrderWhateverTheValues) {
  std::mt19937 random(20261127);
  std::lognormal_distribution<double> durations(-6, 3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> values(1 + random() % 20);
    for (double& value : values) value = durations(random);
    const Range found = range(values);
    double sum = 0;
    for (const double value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size());
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    ASSERT_LE(found.low, mean);
    ASSERT_GE(found.high, mean);
    // A bucket is 19 % wide, so that an estimate is off by no more.
    ASSERT_LE(found.low, *least * (1 + 1e-9));
    ASSERT_GE(found.high, *greatest * (1 - 1e-9));
    if (*least > 1e-6 && *greatest < 128) {
      ASSERT_GE(found.low, *least / 1.2);
      ASSERT_LE(found.high, *greatest * 1.2);
    }
  }
}

TEST(Range, NegativeValuesAndNoBoundsAreFine) {
  const auto layout = BucketLayout::create({-1, 1}).value();
  const HistogramValue made = histogram(layout, {-5, -3});
  const Range found = range_of(made, nullptr, 2, made.sum);
  EXPECT_LE(found.low, -4);
  EXPECT_GE(found.high, -4);
  const HistogramValue bare = histogram(BucketLayout::create({}).value(), {7, 9});
  EXPECT_DOUBLE_EQ(range_of(bare, nullptr, 2, bare.sum).low, 8);
}

double total_of(const Reading& reading) { return metrics::as_double(std::get<metrics::Sum>(reading).total); }

TEST(News, ACounterRisesExactly) {
  Reading sum = metrics::Sum();
  const std::uint64_t huge = std::uint64_t{1} << 60U;
  EXPECT_TRUE(add_news(nullptr, CounterValue{huge, {}}, {}, sum));
  const metrics::Value before = CounterValue{huge, {}};
  EXPECT_TRUE(add_news(&before, CounterValue{huge + 1, {}}, {}, sum));
  EXPECT_EQ(std::get<std::uint64_t>(std::get<metrics::Sum>(sum).total), huge + 1);
  EXPECT_EQ(std::get<metrics::Sum>(sum).updates, 2U);
}

TEST(News, ACounterThatStoodStillIsNone) {
  Reading sum = metrics::Sum();
  const metrics::Value before = CounterValue{std::uint64_t{5}, {}};
  EXPECT_FALSE(add_news(&before, CounterValue{std::uint64_t{5}, {}}, {}, sum));
  EXPECT_FALSE(add_news(nullptr, CounterValue{std::uint64_t{0}, {}}, {}, sum));
}

TEST(News, ACounterThatFellBeganAnew) {
  Reading sum = metrics::Sum();
  const metrics::Value before = CounterValue{std::uint64_t{5}, {}};
  EXPECT_TRUE(add_news(&before, CounterValue{std::uint64_t{3}, {}}, {}, sum));
  EXPECT_EQ(total_of(sum), 3);
}

TEST(News, WhatBeganBeforeTheAgentIsNone) {
  Reading sum = metrics::Sum();
  SeriesRole role;
  role.external = true;
  EXPECT_FALSE(add_news(nullptr, CounterValue{1e6, {}}, role, sum));
  const metrics::Value before = CounterValue{1e6, {}};
  EXPECT_TRUE(add_news(&before, CounterValue{1e6 + 2, {}}, role, sum));
  EXPECT_EQ(total_of(sum), 2);
}

TEST(News, AGaugeIsNewsWhenItChanges) {
  Reading level = metrics::Level();
  const metrics::Value nan = GaugeValue{std::numeric_limits<double>::quiet_NaN()};
  EXPECT_FALSE(add_news(nullptr, GaugeValue{std::uint64_t{0}}, {}, level));
  EXPECT_TRUE(add_news(nullptr, GaugeValue{-3.0}, {}, level));
  EXPECT_FALSE(add_news(&nan, nan, {}, level));
  const metrics::Value before = GaugeValue{-3.0};
  EXPECT_FALSE(add_news(&before, GaugeValue{-3.0}, {}, level));
  EXPECT_EQ(std::get<double>(std::get<metrics::Level>(level).value), -3.0);
}

TEST(News, OfAHistogramOnlyWhatCameSince) {
  Reading reading = metrics::Distribution({});
  const auto layout = latency();
  const metrics::Value before = histogram(layout, {0.001, 5});
  HistogramValue now = std::get<HistogramValue>(before);
  ++now.counts[layout->bucket_of(0.25)];
  now.sum += 0.25;
  SeriesRole failed;
  failed.ok = false;
  EXPECT_TRUE(add_news(&before, now, failed, reading));
  const auto& distribution = std::get<metrics::Distribution>(reading);
  EXPECT_EQ(distribution.aggregate.go().count, 0U);
  EXPECT_EQ(distribution.aggregate.no_go().count, 1U);
  EXPECT_DOUBLE_EQ(*distribution.aggregate.no_go().max, 0.25);
  EXPECT_EQ(distribution.no_go_buckets[layout->bucket_of(0.25)], 1U);
  EXPECT_TRUE(distribution.go_buckets.empty());
}

}  // namespace
}  // namespace connscope::policy
