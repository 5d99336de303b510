// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/snapshot_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connscope::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SnapshotSchedule::Time kStart{1000s};

TEST(SnapshotSchedule, IsDueAtOnceThenByItsInterval) {
  SnapshotSchedule schedule;
  EXPECT_EQ(schedule.next_due(), std::nullopt);
  schedule.set({{"a", 10s}, {"b", 3s}}, kStart);
  EXPECT_THAT(schedule.take_due(kStart), ElementsAre("a", "b"));
  EXPECT_EQ(schedule.next_due(), kStart + 3s);
  EXPECT_THAT(schedule.take_due(kStart + 2999ms), IsEmpty());
  EXPECT_THAT(schedule.take_due(kStart + 3s), ElementsAre("b"));
  EXPECT_EQ(schedule.next_due(), kStart + 6s);
}

TEST(SnapshotSchedule, TimesThatWereMissedAreNotMadeUpFor) {
  SnapshotSchedule schedule;
  schedule.set({{"a", 10s}}, kStart);
  EXPECT_THAT(schedule.take_due(kStart + 35s), ElementsAre("a"));
  EXPECT_EQ(schedule.next_due(), kStart + 40s);
}

TEST(SnapshotSchedule, AnotherConfigLeavesTheRhythmOfThoseThatStay) {
  SnapshotSchedule schedule;
  schedule.set({{"gone", 10s}, {"same", 10s}, {"other", 10s}}, kStart);
  static_cast<void>(schedule.take_due(kStart));
  schedule.set({{"same", 10s}, {"other", 20s}}, kStart + 4s);
  EXPECT_THAT(schedule.names(), ElementsAre("other", "same"));
  EXPECT_THAT(schedule.take_due(kStart + 4s), ElementsAre("other")) << "its interval is new";
  EXPECT_EQ(schedule.next_due(), kStart + 10s);
}

}  // namespace
}  // namespace connscope::runtime
