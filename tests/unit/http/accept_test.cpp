// SPDX-License-Identifier: Apache-2.0
#include "agent/http/accept.h"

#include <gtest/gtest.h>

namespace connscope::http {
namespace {

const std::vector<Offer>& exposition() {
  static const std::vector<Offer> offers = {
      {"text/plain; version=0.0.4", false},
      {"application/openmetrics-text; version=1.0.0", true},
      {"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", true}};
  return offers;
}

constexpr std::size_t kText = 0;
constexpr std::size_t kOpenMetrics = 1;
constexpr std::size_t kProtobuf = 2;

std::size_t chosen(std::string_view header) { return choose_offer(header, exposition()).value(); }

std::size_t chosen(std::string_view header, const std::vector<Offer>& offers) {
  return choose_offer(header, offers).value();
}

TEST(ChooseOffer, PrometheusGetsWhatItAsksFor) {
  // 2.42 of Debian 12, seen on the wire; 3.x with its default protocols; both again with native histograms on.
  EXPECT_EQ(kOpenMetrics, chosen("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                                 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  EXPECT_EQ(kOpenMetrics,
            chosen("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/"
                   "openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/"
                   "plain;version=0.0.4;q=0.2,*/*;q=0.1"));
  EXPECT_EQ(kProtobuf, chosen("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
                              "delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/"
                              "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  EXPECT_EQ(kProtobuf, chosen("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
                              "delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
                              "q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3"));
}

TEST(ChooseOffer, PrometheusThatPrefersTextGetsText) {
  EXPECT_EQ(kText, chosen("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,"
                          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.3"));
}

TEST(ChooseOffer, OpenMetricsIsOnlyForThoseWhoNameIt) {
  EXPECT_EQ(kText, chosen("*/*"));
  EXPECT_EQ(kText, chosen("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"));
  EXPECT_EQ(kOpenMetrics, chosen("application/*"));
  EXPECT_EQ(kOpenMetrics, chosen("application/openmetrics-text"));
  EXPECT_EQ(kText, chosen("application/openmetrics-text; version=0.0.1"));
}

TEST(ChooseOffer, DefaultsWhenNothingIsAskedForOrNothingFits) {
  EXPECT_EQ(kText, chosen(""));
  EXPECT_EQ(kText, chosen("image/png"));
  EXPECT_EQ(kText, chosen("text/plain;q=0"));
  EXPECT_EQ(1U, chosen("", {{"application/openmetrics-text", true}, {"text/plain", false}}));
  EXPECT_EQ(0U, chosen("", {{"application/openmetrics-text", true}, {"text/html", true}}));
  EXPECT_FALSE(choose_offer("*/*", {}).has_value());
}

TEST(ChooseOffer, HighestQualityWinsThenSpecificityThenOrder) {
  const std::vector<Offer> offers = {{"a/one", false}, {"a/two", false}, {"b/three; v=1", false}};
  EXPECT_EQ(1U, chosen("a/one;q=0.8, a/two;q=0.801", offers));
  EXPECT_EQ(2U, chosen("a/*, b/three;v=1", offers));
  EXPECT_EQ(1U, chosen("*/*, a/two", offers));
  EXPECT_EQ(0U, chosen("a/two, a/one", offers));
  EXPECT_EQ(1U, chosen("a/*;q=0.9, a/one;q=0.1", offers)) << "the narrower range has the word on a/one";
}

TEST(ChooseOffer, ZeroExcludes) {
  const std::vector<Offer> offers = {{"a/one", false}, {"a/two", false}};
  EXPECT_EQ(1U, chosen("*/*, a/one;q=0", offers));
  EXPECT_EQ(1U, chosen("a/*;q=0.1, a/one;q=0.000", offers));
}

TEST(ChooseOffer, ParametersMustBeTheOffers) {
  EXPECT_EQ(kOpenMetrics, chosen("application/openmetrics-text; Version=\"1.0.0\"; charset=utf-8"));
  EXPECT_EQ(kOpenMetrics, chosen("application/openmetrics-text; version=\"1\\.0.0\""));
  EXPECT_EQ(kText, chosen("application/openmetrics-text; version=1.0"));
  EXPECT_EQ(kText, chosen("application/openmetrics-text; version=1.0.0; profile=x"));
}

TEST(ChooseOffer, SpaceCaseAndOrderOfParametersDoNotMatter) {
  EXPECT_EQ(kOpenMetrics, chosen(" \tAPPLICATION/OpenMetrics-Text ;\t; Q=0.9 ; version=1.0.0 , */* ;q=0.1,,"));
  EXPECT_EQ(kText, chosen("application/openmetrics-text;q=0.2;version=1.0.0,text/plain;q=0.3"));
}

TEST(ChooseOffer, MalformedElementsAreLeftOutAlone) {
  for (const char* broken : {"application/openmetrics-text;q=2", "application/openmetrics-text;q=1.001",
                             "application/openmetrics-text;q=", "application/openmetrics-text;q=0.1234",
                             "application/openmetrics-text;q=\"1\"", "application/openmetrics-text;q=-1",
                             "application/openmetrics-text;version", "application/openmetrics-text x", "application/",
                             "application", "/", "*/openmetrics-text", "application/openmetrics-text;version=",
                             "application/openmetrics-text;version =1.0.0", "application/openmetrics-text;q=01"}) {
    EXPECT_EQ(kText, chosen(broken)) << broken;
    EXPECT_EQ(kOpenMetrics, chosen(std::string(broken) + ", application/openmetrics-text;q=0.1")) << broken;
  }
}

TEST(ChooseOffer, QuotesHideCommasAndAnOpenQuoteSwallowsTheRest) {
  EXPECT_EQ(kOpenMetrics, chosen("text/plain;x=\"a,b\\\",c\";q=1,application/openmetrics-text;q=0.5"));
  EXPECT_EQ(kText, chosen("text/plain;q=0.1, x/y;z=\"open, application/openmetrics-text"));
}

TEST(AcceptsGzip, OnlyWhenWelcome) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZip;q=0.5"));
  EXPECT_TRUE(accepts_gzip("x-gzip"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_TRUE(accepts_gzip("br;q=1.0, *;q=0.5"));
  EXPECT_TRUE(accepts_gzip("gzip, identity"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_FALSE(accepts_gzip("br, deflate"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0.000, *"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0.5, identity"));
  EXPECT_FALSE(accepts_gzip("gzip;level=9"));
  EXPECT_FALSE(accepts_gzip("gzip;q=high"));
  EXPECT_FALSE(accepts_gzip("gzip bzip2"));
}

}  // namespace
}  // namespace connscope::http
