// SPDX-License-Identifier: Apache-2.0
#include "agent/config/text_check.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::config {
namespace {

std::uint32_t refused_line(std::string_view text) {
  const auto finding = check_text(text);
  return finding ? finding->line : 0;
}

const std::string kDeep(kMaxNesting + 1, '[');
const std::string kDots(kMaxKeyParts, '.');

TEST(TextCheck, TakesWhatIsJustAllowed) {
  EXPECT_EQ(refused_line(std::string(kMaxNesting, '[')), 0U);
  EXPECT_EQ(refused_line(std::string(kMaxKeyParts - 1, '.')), 0U);
  EXPECT_EQ(refused_line(kDeep), 1U);
  EXPECT_EQ(refused_line(kDots), 1U);
}

TEST(TextCheck, EachKeyHasItsOwnParts) {
  std::string fractions = "a = [1.5";
  for (int i = 0; i < 100; ++i) fractions += ", 1.5";
  EXPECT_EQ(refused_line(fractions + "]"), 0U);
}

TEST(TextCheck, StringsAndCommentsDoNotCount) {
  for (const std::string& text : {kDeep, kDots}) {
    EXPECT_EQ(refused_line("a = \"" + text + "\""), 0U);
    EXPECT_EQ(refused_line("a = \"\\\"" + text + "\""), 0U);
    EXPECT_EQ(refused_line("a = '" + text + "'"), 0U);
    EXPECT_EQ(refused_line("a = '''\n'" + text + "''\n'''"), 0U);
    EXPECT_EQ(refused_line("a = \"\"\"\n\"\\\"\"\"" + text + "\n\"\"\""), 0U);
    EXPECT_EQ(refused_line("a = 1 # \"" + text), 0U);
  }
}

TEST(TextCheck, FindsItsWayBackOutOfStrings) {
  for (const char* string :
       {"\"\"", "''", "\"\\\\\"", "'\\'", "\"\"\"\"\"\"", "\"\"\"a\"\"\"\"\"", "'''''a''''", "# '"}) {
    EXPECT_EQ(refused_line(string + ("\n" + kDeep)), 2U) << string;
  }
}

TEST(TextCheck, CountsLinesInsideStrings) {
  EXPECT_EQ(refused_line("a = '''\n\n'''\n" + kDeep), 4U);
  EXPECT_EQ(refused_line("a = \"\"\"\\\n\\\r\n\"\"\"\n" + kDeep), 4U);
}

}  // namespace
}  // namespace connscope::config
