// SPDX-License-Identifier: Apache-2.0
#include "agent/config/message.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::config {
namespace {

TEST(Message, QuotedTextStaysOnItsLine) {
  EXPECT_EQ(in_quotes("a"), "\"a\"");
  EXPECT_EQ(in_quotes("a\nb\x1b[31m"), "\"a\\x0ab\\x1b[31m\"");
  EXPECT_EQ(in_quotes("say \"x\\y\""), "\"say \\\"x\\\\y\\\"\"");
}

TEST(Message, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(in_quotes(std::string(60, 'a')), "\"" + std::string(60, 'a') + "\"");
  EXPECT_EQ(in_quotes(std::string(61, 'a')), "\"" + std::string(60, 'a') + "...\"");
  EXPECT_EQ(in_quotes(std::string(59, 'a') + "\xc3\xa9"), "\"" + std::string(59, 'a') + "...\"");
}

TEST(Message, KeysAreQuotedWhenTheyMustBe) {
  EXPECT_EQ(key_text("min_samples-2"), "min_samples-2");
  EXPECT_EQ(key_text("a.b"), "\"a.b\"");
  EXPECT_EQ(key_text(""), "\"\"");
}

TEST(Message, NumbersAreShort) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(200), "200");
}

TEST(Message, NearestForgivesFewSlips) {
  EXPECT_EQ(nearest("serie", {"idle", "prefixes", "series"}), "series");
  EXPECT_EQ(nearest("prefxies", {"idle", "prefixes", "series"}), "prefixes");
  EXPECT_EQ(nearest("idel", {"idle", "prefixes"}), "");
  EXPECT_EQ(nearest("xy", {"uid"}), "");
  EXPECT_EQ(nearest("unti", {"unit"}), "");
  EXPECT_EQ(nearest("units", {"uid", "unit"}), "unit");
  EXPECT_EQ(nearest(std::string(1000, 'a'), {std::string_view("a")}), "");
}

}  // namespace
}  // namespace connscope::config
