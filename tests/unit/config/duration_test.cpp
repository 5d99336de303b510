// SPDX-License-Identifier: Apache-2.0
#include "agent/config/duration.h"

#include <gtest/gtest.h>

namespace connscope::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, TakesEachUnit) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("7d"), milliseconds(604'800'000));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "s", "30", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5s", "1h30m", "1S", "1w", "0x1s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, TooLongIsTheLongest) {
  EXPECT_EQ(parse_duration("9223372036854775807ms"), milliseconds::max());
  EXPECT_EQ(parse_duration("9223372036854775807d"), milliseconds::max());
  EXPECT_EQ(parse_duration("99999999999999999999s"), milliseconds::max());
  EXPECT_EQ(parse_duration("99999999999999999999x"), std::nullopt);
}

TEST(Duration, IsWrittenInItsLargestUnit) {
  EXPECT_EQ(duration_text(milliseconds(0)), "0s");
  EXPECT_EQ(duration_text(milliseconds(1)), "1ms");
  EXPECT_EQ(duration_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_text(milliseconds(120'000)), "2m");
  EXPECT_EQ(duration_text(milliseconds(604'800'000)), "7d");
}

}  // namespace
}  // namespace connscope::config
