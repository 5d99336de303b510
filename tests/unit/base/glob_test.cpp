// SPDX-License-Identifier: Apache-2.0
#include "agent/base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope {
namespace {

TEST(Glob, StarMatchesZeroOrMore) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*", "a"));
  EXPECT_TRUE(glob_match("*/firefox*", "/usr/lib/firefox/firefox-bin"));
  EXPECT_TRUE(glob_match("*.n.cn.*", "ui.n.cn.tcp"));
  EXPECT_TRUE(glob_match("a**b", "ab"));
  EXPECT_TRUE(glob_match("*ab*ab*", "xababx"));
}

TEST(Glob, EverythingElseIsLiteral) {
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("a", "ab"));
  EXPECT_FALSE(glob_match("a?c", "abc"));
  EXPECT_TRUE(glob_match("a[b]", "a[b]"));
  EXPECT_FALSE(glob_match("*a", "ab"));
}

TEST(Glob, ManyStarsEndSoon) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace connscope
