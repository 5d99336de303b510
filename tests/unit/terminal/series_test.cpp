// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/series.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace connscope::terminal {
namespace {

using metrics::FamilyDescriptor;
using metrics::FamilySnapshot;
using metrics::MetricType;
using metrics::Sample;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

FamilySnapshot family_of(MetricType type, const std::string& name, const std::string& unit, metrics::Value value) {
  FamilySnapshot family;
  FamilyDescriptor descriptor;
  descriptor.name = name;
  descriptor.unit = unit;
  descriptor.label_names = {"process", "outcome"};
  descriptor.id = "n.cn.tcp";
  family.descriptor = std::make_shared<const FamilyDescriptor>(descriptor);
  family.type = type;
  family.samples = {
      {std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"curl", "ok"}), std::move(value)}};
  return family;
}

/// There and back, as text between the two programs.
Series travelled(const FamilySnapshot& family) {
  const auto lines = to_json(family, family.samples[0]);
  EXPECT_EQ(lines.size(), 1U);
  const auto series = series_of(json::parse(lines.at(0).dump()));
  EXPECT_TRUE(series) << lines.at(0);
  return series ? *series : Series();
}

TEST(Series, AHistogramKeepsItsBucketsOnItsWay) {
  const auto layout = metrics::BucketLayout::create({1, 2, 4});
  ASSERT_TRUE(layout);
  const Series series = travelled(family_of(MetricType::kHistogram, "conn_seconds", "seconds",
                                            metrics::HistogramValue{*layout, {0, 3, 0, 1}, 9.5, {}}));
  EXPECT_EQ(series.id, "curl.n.cn.tcp");
  EXPECT_EQ(series.unit, "seconds");
  EXPECT_EQ(series.label("outcome"), "ok");
  EXPECT_EQ(series.label("absent"), "");
  ASSERT_TRUE(series.distribution);
  EXPECT_EQ(series.distribution->count(), 4U);
  EXPECT_EQ(series.distribution->sum(), 9.5);
  EXPECT_EQ(series.distribution->low(), 1);
  EXPECT_EQ(series.distribution->high(), 4);
}

TEST(Series, ACountIsExact) {
  const std::uint64_t large = (std::uint64_t{1} << 53U) + 1;
  const Series series =
      travelled(family_of(MetricType::kCounter, "conn", "", metrics::CounterValue{metrics::Number(large), {}}));
  ASSERT_TRUE(series.value);
  EXPECT_EQ(std::get<std::uint64_t>(*series.value), large);
  EXPECT_FALSE(series.distribution);
}

TEST(Series, TheOtherTypesHaveTheirValues) {
  EXPECT_EQ(metrics::as_double(*travelled(family_of(MetricType::kGauge, "g", "", metrics::GaugeValue{-1.5})).value),
            -1.5);
  const Series info = travelled(family_of(MetricType::kInfo, "i", "", metrics::InfoValue{{{"version", "1"}}}));
  EXPECT_EQ(info.label("version"), "1");
  const Series summary =
      travelled(family_of(MetricType::kSummary, "s", "", metrics::SummaryValue{{{0.5, 1.0}}, 4, 2.0, {}}));
  EXPECT_EQ(summary.distribution->mean(), 0.5);
  const auto states =
      family_of(MetricType::kStateSet, "st", "", metrics::StateSetValue{{{"a", true}, {"b", false}, {"c", true}}});
  const auto lines = to_json(states, states.samples[0]);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1]["labels"]["st"], "c");
}

TEST(Series, WhatIsNoSeriesIsRefused) {
  for (const char* text :
       {"{}", "[]", "null", R"({"id":1})", R"({"id":"a","family":"b","type":"c","unit":"d","labels":7,"value":1})",
        R"({"id":"a","family":"b","type":"c","unit":"d","labels":{"x":1},"value":1})",
        R"({"id":"a","family":"b","type":"c","unit":"d","labels":{},"count":1,"sum":1,"buckets":[[1]]})",
        R"({"id":"a","family":"b","type":"c","unit":"d","labels":{},"count":7e92,"sum":1})",
        R"({"id":"a","family":"b","type":"c","unit":"d","labels":{},"count":1,"sum":1,"buckets":[[1,2,1e30]]})",
        R"({"id":"a","family":"b","type":"c","unit":"d","labels":{},"value":"x"})"}) {
    const auto series = series_of(json::parse(text));
    ASSERT_FALSE(series) << text;
    EXPECT_THAT(series.error().message(), HasSubstr("is no series")) << text;
  }
}

}  // namespace
}  // namespace connscope::terminal
