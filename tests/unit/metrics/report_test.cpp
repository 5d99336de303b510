// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/report.h"

#include <gtest/gtest.h>

namespace connscope::metrics {
namespace {

const WallTime kEarly{std::chrono::seconds(1)};
const WallTime kLate{std::chrono::seconds(2)};

Distribution observed(WallTime start, double value, std::vector<std::uint64_t> buckets) {
  Distribution made(start);
  made.aggregate.observe(true, value);
  made.go_buckets = std::move(buckets);
  return made;
}

TEST(Reading, DistributionsMerge) {
  Reading into = observed(kEarly, 3, {1});
  merge(into, observed(kLate, 5, {0, 1}));
  const auto& merged = std::get<Distribution>(into);
  EXPECT_EQ(merged.aggregate.period_start(), kEarly);
  EXPECT_EQ(merged.aggregate.go().count, 2U);
  EXPECT_EQ(*merged.aggregate.go().min, 3);
  EXPECT_EQ(*merged.aggregate.go().max, 5);
  EXPECT_EQ(merged.go_buckets, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_EQ(merged.aggregate.no_go().count, 0U);
  EXPECT_EQ(merged.aggregate.no_go().min, std::nullopt);
}

TEST(Reading, SumsOutcomesAndLevelsMerge) {
  Reading sum = Sum{1, std::uint64_t{2}};
  merge(sum, Sum{3, std::uint64_t{4}});
  EXPECT_EQ(std::get<Sum>(sum).updates, 4U);
  EXPECT_EQ(std::get<std::uint64_t>(std::get<Sum>(sum).total), 6U);
  OutcomeHistogram later;
  later.add("a", 2);
  Reading outcomes = later;
  merge(outcomes, later);
  EXPECT_EQ(std::get<OutcomeHistogram>(outcomes).count("a"), 4U);
  Reading level = Level{1.5};
  merge(level, Level{-2.0});
  EXPECT_EQ(as_double(std::get<Level>(level).value), -2);
}

TEST(Reading, EmptiedIsOfTheSameKindAndAGaugeKeepsItsValue) {
  const Reading empty = emptied(observed(kEarly, 3, {1}), kLate);
  EXPECT_EQ(std::get<Distribution>(empty).aggregate.period_start(), kLate);
  EXPECT_EQ(std::get<Distribution>(empty).aggregate.go().count, 0U);
  EXPECT_EQ(std::get<Sum>(emptied(Sum{1, 2.0}, kLate)).updates, 0U);
  EXPECT_EQ(std::get<OutcomeHistogram>(emptied(OutcomeHistogram(), kLate)).total(), 0U);
  EXPECT_EQ(as_double(std::get<Level>(emptied(Level{1.5}, kLate)).value), 1.5);
}

}  // namespace
}  // namespace connscope::metrics
