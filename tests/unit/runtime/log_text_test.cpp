// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/log_text.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::runtime {
namespace {

TEST(LogText, KeepsWhatPeopleCanRead) {
  EXPECT_EQ(log_text("plain \"text\" \\ \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\t.", "  "),
            "plain \"text\" \\ \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\t.");
  EXPECT_EQ(log_text("", "  "), "");
}

TEST(LogText, MarksLinesThatBelongToTheEntry) { EXPECT_EQ(log_text("a\nb\n\nc\n\n", "> "), "a\n> b\n> \n> c"); }

TEST(LogText, ShowsControlsAndBadBytes) {
  EXPECT_EQ(log_text("\x1b[31m\r\x7f", ""), "\\x1b[31m\\x0d\\x7f");
  EXPECT_EQ(log_text(std::string("a\0b", 3), ""), "a\\x00b");
  EXPECT_EQ(log_text("\xc2\x9b"
                     "31m",
                     ""),
            "\\xc2\\x9b31m");
  EXPECT_EQ(log_text("\xff\xc3", ""), "\\xff\\xc3");
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(json_string("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(json_string(std::string("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(json_string(""), "\"\"");
}

TEST(JsonString, KeepsUtf8) {
  EXPECT_EQ(json_string("\xc3\xa9\xed\x9f\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf"),
            "\"\xc3\xa9\xed\x9f\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf\"");
}

TEST(JsonString, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_string("\xff"
                        "a"),
            R"("\ufffda")");
  EXPECT_EQ(json_string("\xc0\xaf"), R"("\ufffd\ufffd")");                      // overlong
  EXPECT_EQ(json_string("\xe0\x80\xaf"), R"("\ufffd\ufffd\ufffd")");            // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");            // surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // beyond U+10FFFF
  EXPECT_EQ(json_string("\xe2\x82"), R"("\ufffd\ufffd")");                      // cut off
  EXPECT_EQ(json_string("\xe2\x82x"), R"("\ufffd\ufffdx")");
}

}  // namespace
}  // namespace connscope::runtime
