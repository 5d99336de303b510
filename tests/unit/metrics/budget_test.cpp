// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/metrics/registry.h"

namespace connscope::metrics {
namespace {

using testing::ElementsAre;
using testing::Pair;

RegistryLimits limit_of(std::size_t series) {
  RegistryLimits limits;
  limits.series = series;
  return limits;
}

FamilyDescriptor by_process(std::string name) { return {std::move(name), "x", "", {"process", "outcome"}, "process"}; }

TEST(SeriesBudget, FoldsWhatComesAfterTheLimitAndLosesNoCount) {
  Registry registry(limit_of(10));
  auto* family = registry.family<Counter>(by_process("connects")).value();
  for (int i = 0; i < 1000; ++i) {
    family->with({"process-" + std::to_string(i), i % 2 == 0 ? "ok" : "fail"})
        .value()
        ->add(static_cast<std::uint64_t>(i));
  }
  EXPECT_EQ(family->size(), 12U) << "ten of their own, and other with ok and with fail";
  std::uint64_t sum = 0;
  const auto snapshot = registry.snapshot();
  for (const auto& sample : snapshot->families[0].samples) {
    sum += std::get<std::uint64_t>(std::get<CounterValue>(sample.value).total);
  }
  EXPECT_EQ(sum, 999U * 1000U / 2);
  EXPECT_THAT(registry.budget().folds(), ElementsAre(Pair("process", 990)));
}

TEST(SeriesBudget, FoldedHistogramsKeepCountAndSum) {
  Registry registry(limit_of(1));
  auto* family = registry.family<Histogram>(by_process("waits"), BucketLayout::create({1, 2}).value()).value();
  for (const char* process : {"a", "b", "c"}) {
    auto* series = family->with({process, "ok"}).value();
    series->observe(0.5);
    series->observe(4);
  }
  auto* other = family->with({kOther, "ok"}).value();
  EXPECT_THAT(other->value().counts, ElementsAre(2, 0, 2));
  EXPECT_EQ(other->sum(), 9.0);
}

TEST(SeriesBudget, SeriesThatExistStayTheirOwn) {
  Registry registry(limit_of(100));
  auto* family = registry.family<Counter>(by_process("connects")).value();
  Counter* old = family->with({"old", "ok"}).value();
  registry.set_series_limit(1);
  EXPECT_EQ(family->with({"old", "ok"}).value(), old);
  EXPECT_EQ(family->with({"new", "ok"}).value(), family->with({kOther, "ok"}).value());
}

TEST(SeriesBudget, RoomThatIsGivenBackIsUsedAgain) {
  Registry registry(limit_of(1));
  auto* family = registry.family<Counter>(by_process("connects")).value();
  ASSERT_TRUE(family->with({"a", "ok"}));
  family->remove({"a", "ok"});
  const Counter* next = family->with({"b", "ok"}).value();
  EXPECT_NE(family->with({kOther, "ok"}).value(), next);
  EXPECT_TRUE(registry.budget().folds().empty());
}

TEST(SeriesBudget, AFamilyWithoutAFoldLabelIsNeverFolded) {
  Registry registry(limit_of(1));
  auto* family = registry.family<Counter>({"collects", "x", "", {"collector"}, ""}).value();
  for (const char* name : {"cpu", "memory", "disk"}) ASSERT_TRUE(family->with({name}));
  EXPECT_EQ(family->size(), 3U);
  EXPECT_TRUE(registry.budget().folds().empty());
}

TEST(SeriesBudget, IsSharedByAllFamilies) {
  Registry registry(limit_of(2));
  auto* first = registry.family<Counter>(by_process("first")).value();
  auto* second = registry.family<Counter>(by_process("second")).value();
  ASSERT_TRUE(first->with({"a", "ok"}));
  ASSERT_TRUE(first->with({"b", "ok"}));
  EXPECT_EQ(second->with({"a", "ok"}).value(), second->with({kOther, "ok"}).value());
  EXPECT_EQ(registry.budget().used(), 3U);
}

}  // namespace
}  // namespace connscope::metrics
