// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/text.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdint>

#include "agent/terminal/quantity.h"

namespace connscope::terminal {
namespace {

using ::testing::ElementsAre;

TEST(Text, WhatCouldControlATerminalIsShown) {
  EXPECT_EQ(safe("plain ünïcode 日本"), "plain ünïcode 日本");
  EXPECT_EQ(safe("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(safe("\xc2\x9b\x32J"), "\\xc2\\x9b2J");  // CSI of the second set of controls
  EXPECT_EQ(safe("\xe2\x80\xae\x61"),
            "\\xe2\\x80\\xae"
            "a");  // right-to-left override
  EXPECT_EQ(safe("\xff\xc0\xaf\xed\xa0\x80\xe2\x82"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82");  // no UTF-8
}

TEST(Text, ForAsciiAloneAMicroIsAU) {
  EXPECT_EQ(in_charset("1.5µs µ", false), "1.5us u");
  EXPECT_EQ(in_charset("1.5µs", true), "1.5µs");
}

TEST(Text, IsMeasuredAndCutByCharacters) {
  EXPECT_EQ(width_of("µs≤"), 3U);
  EXPECT_EQ(cut("µs≤", 3, true), "µs≤");
  EXPECT_EQ(cut("µs≤", 2, true), "µ…");
  EXPECT_EQ(cut("abcdef", 4, false), "abc~");
  EXPECT_EQ(cut("abc", 0, true), "");
  EXPECT_EQ(padded("µ", 3, true), "  µ");
  EXPECT_EQ(padded("abcd", 3, false), "abcd");
}

TEST(Table, ColumnsAreAsWideAsTheyNeed) {
  Table table({{"NAME"}, {"COUNT", Table::Align::kRight}, {"LAST"}});
  EXPECT_TRUE(table.empty());
  EXPECT_THAT(table.lines(), ElementsAre("NAME  COUNT  LAST"));
  table.add({"a", "1", ""});
  table.add({"µµµµµµ", "1234567", "z"});
  EXPECT_THAT(table.lines(), ElementsAre("NAME      COUNT  LAST",  //
                                         "a             1",        //
                                         "µµµµµµ  1234567  z"));
}

TEST(Quantity, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(quantity(0.0, "seconds"), "0s");
  EXPECT_EQ(quantity(1.5e-9, "seconds"), "1.50ns");
  EXPECT_EQ(quantity(412e-6, "seconds"), "412µs");
  EXPECT_EQ(quantity(3.792e-3, "seconds"), "3.79ms");
  EXPECT_EQ(quantity(0.9999, "seconds"), "1.00s");
  EXPECT_EQ(quantity(12.0, "seconds"), "12.0s");
  EXPECT_EQ(quantity(-0.25, "seconds"), "-250ms");
  EXPECT_EQ(quantity(86400.0, "seconds"), "86400s");
  EXPECT_EQ(quantity(1536.0, "bytes"), "1.50KiB");
  EXPECT_EQ(quantity(7.0, "bytes"), "7B");
  EXPECT_EQ(quantity(7.0, ""), "7");
  EXPECT_EQ(quantity(0.125, ""), "0.12");
  EXPECT_EQ(quantity(28165.0, ""), "28.2k");
  EXPECT_EQ(quantity(std::nan(""), "seconds"), "NaN");
  EXPECT_EQ(quantity(INFINITY, ""), "+Inf");
  EXPECT_EQ(quantity(metrics::Number(std::uint64_t{1234567}), ""), "1234567");
  EXPECT_EQ(quantity(metrics::Number(std::uint64_t{10'000'000}), ""), "10.0M");
  EXPECT_EQ(quantity(metrics::Number(std::uint64_t{2048}), "bytes"), "2.00KiB");
}

}  // namespace
}  // namespace connscope::terminal
