// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/delta.h"

#include <gtest/gtest.h>

#include "agent/ingest/buckets.h"

namespace connscope::ingest {
namespace {

TEST(CounterDelta, WholeStepsStayExact) {
  CounterDelta delta;
  delta.add(9007199254740992.0);
  delta.add(1);
  delta.add(0.5);
  EXPECT_EQ(delta.whole, 9007199254740993U);
  EXPECT_DOUBLE_EQ(delta.part, 0.5);
}

TEST(CounterDelta, DoesNotRunOver) {
  CounterDelta delta;
  delta.whole = ~std::uint64_t{0} - 1;
  delta.add(5);
  EXPECT_EQ(delta.whole, ~std::uint64_t{0} - 1);
  EXPECT_DOUBLE_EQ(delta.part, 5);
  delta.add(1e200);
  EXPECT_DOUBLE_EQ(delta.part, 1e200);
}

TEST(GaugeDelta, StepsAddToWhatWasSet) {
  GaugeDelta delta;
  delta.add(3, 1);
  EXPECT_FALSE(delta.is_set);
  delta.set(10, 2);
  delta.add(-4, 3);
  EXPECT_TRUE(delta.is_set);
  EXPECT_DOUBLE_EQ(delta.value, 6);
  EXPECT_EQ(delta.order, 3U);
}

TEST(HistogramDelta, ASampledEventStandsForItsLike) {
  HistogramDelta delta(ready_buckets("seconds"));
  for (int i = 0; i < 3; ++i) delta.observe(0.002, 0.3);  // each stands for 3⅓
  EXPECT_EQ(delta.counts[1], 10U) << "thirds are carried, so that they are counted in the end";
  EXPECT_NEAR(delta.sum, 0.02, 1e-12);
}

}  // namespace
}  // namespace connscope::ingest
