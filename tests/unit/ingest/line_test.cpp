// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace connscope::ingest {
namespace {

Line parsed(std::string_view text) {
  Line line;
  const auto refused = parse_line(text, line);
  EXPECT_FALSE(refused) << text << ": " << to_string(*refused);
  return line;
}

std::string refusal(std::string_view text) {
  Line line;
  const auto refused = parse_line(text, line);
  return refused ? to_string(*refused) : "taken";
}

TEST(Line, EveryTypeOfStatsdAndDogstatsd) {
  EXPECT_EQ(parsed("a:1|c").kind, Kind::kCounter);
  EXPECT_EQ(parsed("a:1|g").kind, Kind::kGauge);
  EXPECT_EQ(parsed("a:1|ms").kind, Kind::kTimer);
  EXPECT_EQ(parsed("a:1|h").kind, Kind::kHistogram);
  EXPECT_EQ(parsed("a:1|d").kind, Kind::kDistribution);
  EXPECT_EQ(parsed("a:x|s").kind, Kind::kSet);
}

TEST(Line, PartsAreViewsIntoIt) {
  const Line line = parsed("app.requests:3|c|@0.25|#route:/x,code:200");
  EXPECT_EQ(line.name, "app.requests");
  EXPECT_EQ(line.values, "3");
  EXPECT_EQ(line.tags, "route:/x,code:200");
  EXPECT_DOUBLE_EQ(line.rate, 0.25);
}

TEST(Line, FieldsComeInAnyOrder) {
  const Line line = parsed("a:1|c|#k:v|@0.5|c:0123abc|e:it-false|card:low");
  EXPECT_EQ(line.tags, "k:v");
  EXPECT_DOUBLE_EQ(line.rate, 0.5);
}

TEST(Line, ALineMayHaveSeveralValues) { EXPECT_EQ(parsed("a:1:2.5:3|d").values, "1:2.5:3"); }

TEST(Line, ALineBeforeHasNoSayInTheNext) {
  Line line;
  ASSERT_FALSE(parse_line("a:1|c|@0.5|#k:v", line));
  ASSERT_FALSE(parse_line("b:1|c", line));
  EXPECT_EQ(line.tags, "");
  EXPECT_DOUBLE_EQ(line.rate, 1);
}

TEST(Line, WhatIsNoLineIsRefusedWithItsReason) {
  for (const char* text : {"", "a", "a:", ":1|c", "a:1", "a:1|", "a|c", "|", ":", "a:1|c|x", "a:1|c|k:v"})
    EXPECT_EQ(refusal(text), "malformed") << text;
  for (const char* text : {"a:1|x", "a:1|C", "a:1|cc", "a:1|ms "}) EXPECT_EQ(refusal(text), "bad_type") << text;
  for (const char* text : {"a:1|c|@", "a:1|c|@0", "a:1|c|@1.5", "a:1|c|@-1", "a:1|c|@x", "a:1|c|@nan"})
    EXPECT_EQ(refusal(text), "bad_rate") << text;
  for (const char* text : {"_e{5,4}:title|text", "_sc|Redis|2", "a:1|c|T1656581400"})
    EXPECT_EQ(refusal(text), "unsupported") << text;
}

TEST(Value, NumbersWithTheirSign) {
  EXPECT_DOUBLE_EQ(parse_value("320")->number, 320);
  EXPECT_FALSE(parse_value("320")->is_signed);
  EXPECT_DOUBLE_EQ(parse_value("123456789012345678")->number, 123456789012345678.0);
  EXPECT_DOUBLE_EQ(parse_value("0.5")->number, 0.5);
  EXPECT_DOUBLE_EQ(parse_value("1e3")->number, 1000);
  EXPECT_DOUBLE_EQ(parse_value("+4")->number, 4);
  EXPECT_TRUE(parse_value("+4")->is_signed);
  EXPECT_DOUBLE_EQ(parse_value("-4")->number, -4);
  EXPECT_TRUE(parse_value("-4")->is_signed);
}

TEST(Value, WhatIsNoNumberIsNone) {
  for (const char* text :
       {"", "x", "1x", " 1", "1 ", "+", "-", "+-1", "--1", "nan", "inf", "-inf", "1e400", "1e201", "0x1"})
    EXPECT_FALSE(parse_value(text)) << text;
}

TEST(ParseValue, ShortNumbersAreThoseThatTheStandardLibraryReads) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    std::string text = std::to_string(random() % 1'000'000'000'000'000 >> random() % 48);
    if (i % 2 == 0) text.insert(1 + random() % text.size(), ".");
    const auto value = parse_value(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->number, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(ParseValue, APointIsBetweenDigitsOrAsTheStandardLibraryHasIt) {
  for (const char* text : {".", "1.2.3", "1..2", "1.x", "", "1 ", " 1"}) EXPECT_FALSE(parse_value(text)) << text;
  EXPECT_EQ(parse_value(".5")->number, 0.5);
  EXPECT_EQ(parse_value("5.")->number, 5);
}

}  // namespace
}  // namespace connscope::ingest
