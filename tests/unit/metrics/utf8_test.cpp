// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/utf8.h"

#include <gtest/gtest.h>

namespace connscope::metrics {
namespace {

constexpr const char* kBad = "\uFFFD";

TEST(Utf8, TakesTheFirstAndLastCharacterOfEachLength) {
  for (const char* text :
       {"\x01", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(utf8_length(text, 0), std::string_view(text).size());
  }
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesWhatOnlyLooksLikeIt) {
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82",
                           "\xf0\x9f\xa6", "\xc3(", "\xe2\x82(", "\xf0\x9f\xa6("}) {
    EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_EQ(utf8_length(text, 0), 0U) << text;
  }
}

TEST(Utf8, ReplacesEachStrayByte) {
  EXPECT_EQ(to_utf8("plain \u00fc"), "plain \u00fc");
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            std::string("a") + kBad + "b");
  EXPECT_EQ(to_utf8("\xe2\x82"), std::string(kBad) + kBad);
  EXPECT_EQ(to_utf8("\xc3\u00fc"), std::string(kBad) + "\u00fc");
}

}  // namespace
}  // namespace connscope::metrics
