// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/series_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace connscope::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::optional<Refusal> make(const std::string& text, SeriesKey& key) {
  Line line;
  EXPECT_FALSE(parse_line(text, line)) << text;
  return make_series_key(line, key);
}

SeriesKey made(const std::string& text) {
  SeriesKey key;
  const auto refused = make(text, key);
  EXPECT_FALSE(refused) << text << ": " << to_string(*refused);
  return key;
}

std::string refusal(const std::string& text) {
  SeriesKey key;
  const auto refused = make(text, key);
  return refused ? to_string(*refused) : "taken";
}

TEST(SeriesKey, L16_ANameOfTheApplicationsOwnBecomesAFamily) {
  EXPECT_EQ(made("app.x:1|c").family, "app_x");
  EXPECT_EQ(made("app.x:1|c").sent_name, "app.x");
  EXPECT_EQ(made("app-x/y z:1|g").family, "app_x_y_z");
  EXPECT_EQ(made("2xx:1|c").family, "_2xx");
}

TEST(SeriesKey, ACountersFamilyHasNoTotalSinceItsSampleHas) {
  EXPECT_EQ(made("app.requests.total:1|c").family, "app_requests");
  EXPECT_EQ(made("app.requests.total:1|g").family, "app_requests_total");
  EXPECT_EQ(refusal("_total:1|c"), "bad_name");
}

TEST(SeriesKey, P10_TimersAreInSeconds) {
  for (const char* text : {"app.wait:1|ms", "app.wait_ms:1|ms", "app.wait.seconds:1|ms"}) {
    EXPECT_EQ(made(text).family, "app_wait_seconds") << text;
    EXPECT_EQ(made(text).unit, "seconds") << text;
  }
}

TEST(SeriesKey, P11_TheNameTellsTheUnit) {
  EXPECT_EQ(made("app.body_bytes:1|h").unit, "bytes");
  EXPECT_EQ(made("app.wait.seconds:1|d").unit, "seconds");
  EXPECT_EQ(made("app.depth:1|h").unit, "");
  EXPECT_EQ(made("bytes:1|h").unit, "") << "a unit is a suffix, not the whole name";
}

TEST(SeriesKey, ANameIsNeverCut) {
  const std::string longest(kMaxNameBytes, 'a');
  EXPECT_EQ(made(longest + ":1|c").family, longest);
  EXPECT_EQ(refusal(longest + "a:1|c"), "bad_name");
  EXPECT_EQ(refusal("caf\xc3\xa9:1|c"), "bad_name");
  EXPECT_EQ(refusal("a\x01:1|c"), "bad_name");
}

TEST(SeriesKey, PoliciesNameItAsTheApplicationDoes) {
  EXPECT_EQ(made("app.x:1|c").id, "app.x");
  EXPECT_EQ(made("app..wait_ms.:1|ms").id, "app.wait_ms");
  EXPECT_EQ(made("app/{x} y:1|g").id, "app/_x__y");
  EXPECT_EQ(refusal("...:1|c"), "bad_name");
}

TEST(SeriesKey, FamiliesOfTheAgentAreNotForApplications) {
  for (const char* text :
       {"conn.tcp_connects:1|c", "connscope_x:1|g", "process.cpu_seconds:1|c", "node-x:1|g", "target_info:1|g"})
    EXPECT_EQ(refusal(text), "reserved_name") << text;
  EXPECT_EQ(made("connection.x:1|c").family, "connection_x");
}

TEST(SeriesKey, WhatAClientLostIsTheOneExceptionAndHasNoLabels) {
  const SeriesKey key = made("connscope.client.lost:1|c|#a:b");
  EXPECT_EQ(key.family, "connscope_ingest_client_lost_lines");
  EXPECT_THAT(key.labels, IsEmpty());
  EXPECT_EQ(refusal("connscope.client.lost:1|g"), "reserved_name");
}

TEST(SeriesKey, L4_TagsAreLabelsInOneOrder) {
  const auto sorted = ElementsAre(Pair("a", "1"), Pair("b", "2"));
  EXPECT_THAT(made("x:1|c|#a:1,b:2").labels, sorted);
  EXPECT_THAT(made("x:1|c|#b:2,a:1").labels, sorted);
  EXPECT_THAT(made("x:1|c|#b:2,,a:1,a:1").labels, sorted);
}

TEST(SeriesKey, TagsAreMadeLegal) {
  EXPECT_THAT(made("x:1|c|#http.code:200").labels, ElementsAre(Pair("http_code", "200")));
  EXPECT_THAT(made("x:1|c|#url:http://h/").labels, ElementsAre(Pair("url", "http://h/")));
  EXPECT_THAT(made("x:1|c|#canary").labels, ElementsAre(Pair("canary", "true")));
  EXPECT_THAT(made("x:1|c|#empty:").labels, IsEmpty());
}

TEST(SeriesKey, I4_ReservedLabelsAreRefused) {
  for (const char* text : {"x:1|c|#__name__:a", "x:1|h|#le:1", "x:1|c|#quantile:1", "x:1|c|#process:init"})
    EXPECT_EQ(refusal(text), "reserved_label") << text;
}

TEST(SeriesKey, TagsThatCannotBeLabelsAreRefused) {
  EXPECT_EQ(refusal("x:1|c|#a:1,a:2"), "bad_tag");
  EXPECT_EQ(refusal("x:1|c|#a.b:1,a_b:2"), "bad_tag");
  EXPECT_EQ(refusal("x:1|c|#:1"), "bad_tag");
  EXPECT_EQ(refusal("x:1|c|#a:\xff"), "bad_tag");
  EXPECT_EQ(refusal("x:1|c|#a:" + std::string(kMaxTagBytes, 'v')), "bad_tag");
  std::string many = "x:1|c|#";
  for (std::size_t i = 0; i <= kMaxTags; ++i) many += "k" + std::to_string(i) + ":v,";
  EXPECT_EQ(refusal(many), "bad_tag");
}

}  // namespace
}  // namespace connscope::ingest
