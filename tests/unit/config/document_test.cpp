// SPDX-License-Identifier: Apache-2.0
#include "agent/config/document.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace connscope::config {
namespace {

std::string refusal(std::string_view text) {
  const auto document = Document::parse(text, "c.toml");
  return document ? "" : document.error().message();
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Document, EmptyTextIsAnEmptyRoot) {
  const auto document = Document::parse("", "c.toml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().integer("a", 7, 0, 9), 7);
  EXPECT_TRUE(document->finish());
}

TEST(Document, SyntaxErrorsNameTheLine) {
  EXPECT_EQ(refusal("a = 1\nb = \n"), "c.toml:2: Error while parsing key-value pair: expected value, saw '\\n'");
}

TEST(Document, DuplicateKeysNameTheLineOfTheSecond) {
  EXPECT_EQ(refusal("a = 1\n\na = 2\n"),
            "c.toml:3: Error while parsing key-value pair: cannot redefine existing integer 'a'");
  EXPECT_EQ(refusal("[a]\n[b]\n[a]\n"),
            "c.toml:3: Error while parsing table header: cannot redefine existing table 'a'");
}

TEST(Document, RefusesNulBytes) {
  EXPECT_EQ(refusal(std::string("a = 1\n\0b = 2\n", 13)), "c.toml:2: a NUL byte; allowed: UTF-8 text");
}

TEST(Document, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(refusal("a = 1\nb = '\xff'\n"), "c.toml:2: Encountered invalid utf-8 sequence");
}

TEST(Document, RefusesLongText) {
  EXPECT_EQ(refusal(std::string(Document::kMaxBytes + 1, '\n')), "c.toml: longer than 1048576 bytes");
  EXPECT_EQ(refusal(std::string(Document::kMaxBytes, '\n')), "");
}

TEST(Document, TakesByteOrderMarkAndCrLf) {
  const auto document = Document::parse(
      "\xef\xbb\xbf"
      "a = 1\r\n[t]\r\nb = 'x'\r\n",
      "c.toml");
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(document->root().integer("a", 0, 0, 9), 1);
  EXPECT_EQ(document->root().table("t").text("b", ""), "x");
}

TEST(Document, DeepNestingIsRefused) {
  EXPECT_EQ(refusal("a = " + repeated("[", 400000)), "c.toml:1: nested too deep; allowed: 32 levels");
  EXPECT_EQ(refusal("\na = " + repeated("{a=", 100000)), "c.toml:2: nested too deep; allowed: 32 levels");
  EXPECT_EQ(refusal(repeated("a.", 400000) + "a = 1"), "c.toml:1: a key of too many parts; allowed: 32 parts");
  EXPECT_EQ(refusal("[" + repeated("a.", 400000) + "a]"), "c.toml:1: a key of too many parts; allowed: 32 parts");
}

TEST(Document, SectionsStayValidWhenTheDocumentMoves) {
  auto parsed = Document::parse("[t]\na = 'x'\n", "c.toml");
  ASSERT_TRUE(parsed);
  const Section section = parsed->root().table("t");
  const Document moved = *std::move(parsed);
  EXPECT_EQ(section.text("a", ""), "x");
  EXPECT_TRUE(moved.finish());
}

}  // namespace
}  // namespace connscope::config
