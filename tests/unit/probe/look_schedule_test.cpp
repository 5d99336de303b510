// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/look_schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace connscope::probe {
namespace {

using namespace std::chrono_literals;

const LookSchedule::Time kStart{};

/// The moments after kStart at which a process that lives on is looked at.
std::vector<std::chrono::milliseconds> looks_of_one(LookSchedule& schedule) {
  std::vector<std::chrono::milliseconds> moments;
  while (const auto next = schedule.next()) {
    moments.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(*next - kStart));
    EXPECT_FALSE(schedule.take_due(*next - 1ns));
    if (const auto look = schedule.take_due(*next)) schedule.go_on(*look);
  }
  return moments;
}

TEST(LookSchedule, AProcessIsLookedAtAFewTimes) {
  LookSchedule schedule(8);
  EXPECT_FALSE(schedule.next());
  schedule.add(10, kStart);
  EXPECT_EQ(looks_of_one(schedule), (std::vector(LookSchedule::kLooksAfter.begin(), LookSchedule::kLooksAfter.end())));
}

TEST(LookSchedule, OneThatIsGoneIsNotLookedAtAgain) {
  LookSchedule schedule(8);
  schedule.add(10, kStart);
  ASSERT_TRUE(schedule.take_due(kStart + 1s));
  EXPECT_FALSE(schedule.next());
}

TEST(LookSchedule, TheLongestDueComesFirst) {
  LookSchedule schedule(8);
  schedule.add(11, kStart + 1ms);
  schedule.add(10, kStart);
  EXPECT_EQ(schedule.take_due(kStart + 1s)->process, 10U);
  EXPECT_EQ(schedule.take_due(kStart + 1s)->process, 11U);
  EXPECT_FALSE(schedule.take_due(kStart + 1s));
}

TEST(LookSchedule, NoMoreWaitThanItsLimit) {
  LookSchedule schedule(2);
  for (const std::uint32_t process : {10U, 11U, 12U}) schedule.add(process, kStart);
  EXPECT_EQ(schedule.take_due(kStart + 1s)->process, 10U);
  EXPECT_EQ(schedule.take_due(kStart + 1s)->process, 11U);
  EXPECT_FALSE(schedule.take_due(kStart + 1s));
}

}  // namespace
}  // namespace connscope::probe
