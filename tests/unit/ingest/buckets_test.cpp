// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/buckets.h"

#include <gtest/gtest.h>

namespace connscope::ingest {
namespace {

TEST(Buckets, P11_TimesFromOneMillisecondToAHundredSeconds) {
  const auto layout = ready_buckets("seconds");
  EXPECT_DOUBLE_EQ(layout->bounds().front(), 0.001);
  EXPECT_DOUBLE_EQ(layout->bounds().back(), 100);
}

TEST(Buckets, P11_SizesFromOneKibToOneGib) {
  const auto layout = ready_buckets("bytes");
  EXPECT_DOUBLE_EQ(layout->bounds().front(), 1024);
  EXPECT_DOUBLE_EQ(layout->bounds().back(), 1024.0 * 1024 * 1024);
}

TEST(Buckets, OneLayoutIsSharedByAllOfAUnit) {
  EXPECT_EQ(ready_buckets("bytes"), ready_buckets("bytes"));
  EXPECT_EQ(ready_buckets(""), ready_buckets("widgets"));
  EXPECT_NE(ready_buckets(""), ready_buckets("seconds"));
}

}  // namespace
}  // namespace connscope::ingest
