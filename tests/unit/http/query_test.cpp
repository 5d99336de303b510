// SPDX-License-Identifier: Apache-2.0
#include "agent/http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connscope::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

QueryParameters parsed(std::string_view query) {
  auto result = parse_query(query);
  EXPECT_TRUE(result) << result.error().message();
  return result ? *result : QueryParameters{};
}

std::string refusal(std::string_view query) {
  const auto result = parse_query(query);
  return result ? "accepted" : result.error().message();
}

TEST(ParseQuery, KeepsOrderAndRepetition) {
  EXPECT_THAT(parsed("name[]=b&prefix=ui&name%5B%5D=a"),
              ElementsAre(Pair("name[]", "b"), Pair("prefix", "ui"), Pair("name[]", "a")));
}

TEST(ParseQuery, DecodesEscapesAndPlus) {
  EXPECT_THAT(parsed("a+b=c+%2B%3d%26%e2%82%AC"), ElementsAre(Pair("a b", "c +=&\xe2\x82\xac")));
}

TEST(ParseQuery, EmptyPartsAndMissingSigns) {
  EXPECT_THAT(parsed(""), IsEmpty());
  EXPECT_THAT(parsed("&&"), IsEmpty());
  EXPECT_THAT(parsed("a&b=&=c&d=e=f"), ElementsAre(Pair("a", ""), Pair("b", ""), Pair("", "c"), Pair("d", "e=f")));
}

TEST(ParseQuery, BrokenEscapesAreRefusedWithTheirPlace) {
  EXPECT_THAT(refusal("a=1&b=%zz"), HasSubstr("query, character 7: broken escape"));
  EXPECT_THAT(refusal("%"), HasSubstr("character 1:"));
  EXPECT_THAT(refusal("a=%4"), HasSubstr("character 3:"));
  EXPECT_THAT(refusal("a=%4&b=1"), HasSubstr("character 3:"));
  EXPECT_THAT(refusal("a%=b1"), HasSubstr("character 2:"));
  EXPECT_THAT(refusal("a=%-1"), HasSubstr("character 3:"));
  EXPECT_THAT(refusal("a=%+1"), HasSubstr("character 3:"));
}

TEST(ParseQuery, NulIsRefusedInAnySpelling) {
  EXPECT_THAT(refusal("a=x%00y"), HasSubstr("character 4: a NUL byte"));
  EXPECT_THAT(refusal(std::string_view("a=\0", 3)), HasSubstr("character 3: a NUL byte"));
}

TEST(ParseQuery, BoundsTheNumberOfParameters) {
  std::string query;
  for (std::size_t i = 0; i < kMaxQueryParameters; ++i) query += "a=1&";
  EXPECT_EQ(parsed(query).size(), kMaxQueryParameters);
  EXPECT_THAT(refusal(query + "b=2"), HasSubstr("character 1025: more than 256 parameters"));
}

}  // namespace
}  // namespace connscope::http
