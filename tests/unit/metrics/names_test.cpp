// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/names.h"

#include <gtest/gtest.h>

namespace connscope::metrics {
namespace {

TEST(Names, P8_LegalNamesAreAsciiWithoutLeadingDigit) {
  EXPECT_TRUE(is_metric_name("a:b_9"));
  EXPECT_FALSE(is_metric_name("9a"));
  EXPECT_FALSE(is_metric_name(""));
  EXPECT_FALSE(is_metric_name("\u00e4"));
  EXPECT_TRUE(is_label_name("_a9"));
  EXPECT_FALSE(is_label_name("a:b"));
  EXPECT_FALSE(is_label_name("__a"));
}

TEST(Names, P8_AnyTextIsMadeALegalLabelName) {
  EXPECT_EQ(legal_label_name("plain_1"), "plain_1");
  EXPECT_EQ(legal_label_name("a b-c"), "a_b_c");
  EXPECT_EQ(legal_label_name("1st"), "_1st");
  EXPECT_EQ(legal_label_name(""), "_");
  EXPECT_EQ(legal_label_name("__name__"), "_name__");
  EXPECT_EQ(legal_label_name("--"), "_");
  for (const char* name : {"1st", "", "___", "-1", "\xff\xff", "a\"b"}) {
    EXPECT_TRUE(is_label_name(legal_label_name(name))) << legal_label_name(name);
  }
}

}  // namespace
}  // namespace connscope::metrics
