// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/gatherer.h"

#include <gtest/gtest.h>

#include "tests/unit/policy/stage.h"

namespace connscope::policy {
namespace {

using test::aggregate_of;
using test::find;
using test::policy_of;
using test::Stage;
using namespace std::chrono_literals;

PolicySet everything_each_second() { return {{policy_of("all", {"*"}, 1s)}, {}}; }

TEST(Gatherer, L1_CountSumMinMeanMaxForGoAndNoGo) {
  Stage stage(everything_each_second());
  for (const double seconds : {0.002, 0.004, 0.009}) stage.connects("ok").observe(seconds);
  stage.connects("fail").observe(0.5);
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  const auto& aggregate = aggregate_of(*sent[0].second, "ui.n.cn.tcp");
  EXPECT_EQ(aggregate.go().count, 3U);
  EXPECT_EQ(aggregate.no_go().count, 1U);
  EXPECT_DOUBLE_EQ(aggregate.go().sum, 0.015);
  EXPECT_LE(*aggregate.go().min, *aggregate.go().mean());
  EXPECT_LE(*aggregate.go().mean(), *aggregate.go().max);
  EXPECT_DOUBLE_EQ(*aggregate.no_go().min, 0.5);
  EXPECT_EQ(find(*sent[0].second, "ui.n.cn.tcp").start, metrics::WallTime(1h));
}

TEST(Gatherer, L2_OutcomesAreBucketsWithATotal) {
  Stage stage(everything_each_second());
  stage.failures("tls", "expired").add(std::uint64_t{2});
  stage.failures("dns", "nxdomain").add(std::uint64_t{1});
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  const auto& outcomes = std::get<metrics::OutcomeHistogram>(find(*sent[0].second, "ui.n.cn.failures").reading);
  EXPECT_EQ(outcomes.count("tls/expired"), 2U);
  EXPECT_EQ(outcomes.count("dns/nxdomain"), 1U);
  EXPECT_EQ(outcomes.total(), 3U);
}

TEST(Gatherer, L4_TheSameTagsInTwoOrdersAreOneMetric) {
  Stage stage(everything_each_second());
  auto* family = stage.registry().family<metrics::Counter>({"app_x", "", "", {"a", "b"}, ""}).value();
  family->with_labels({{"a", "1"}, {"b", "2"}}).value()->add(std::uint64_t{1});
  family->with_labels({{"b", "2"}, {"a", "1"}}).value()->add(std::uint64_t{1});
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  ASSERT_EQ(sent[0].second->metrics.size(), 1U);
  EXPECT_EQ(test::sum_of(*sent[0].second, "app.x"), 2);
}

TEST(Gatherer, ASeriesThatIsRemovedAndComesBackCountsFromZero) {
  Stage stage(everything_each_second());
  auto* family = stage.registry().family<metrics::Counter>({"app_x", "", "", {"process"}, ""}).value();
  family->with({"ui"}).value()->add(std::uint64_t{5});
  stage.pass(1s);
  family->remove({"ui"});
  stage.pass(1s);
  family->with({"ui"}).value()->add(std::uint64_t{7});
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(test::sum_of(*sent[0].second, "ui.app.x"), 5);
  EXPECT_EQ(test::sum_of(*sent[1].second, "ui.app.x"), 7);
}

TEST(Gatherer, WhatASeriesGatheredIsReportedWhenItIsGone) {
  Stage stage(everything_each_second());
  auto* family = stage.registry().family<metrics::Counter>({"app_x", "", "", {"process"}, ""}).value();
  family->with({"ui"}).value()->add(std::uint64_t{5});
  stage.collect();
  family->remove({"ui"});
  stage.pass(1s);
  EXPECT_EQ(test::sum_of(*stage.take().at(0).second, "ui.app.x"), 5);
  EXPECT_TRUE(stage.reporter().metrics().empty()) << "it is forgotten after that";
}

metrics::SnapshotPtr snapshot_of(std::vector<std::string> labels, std::vector<std::string> values,
                                 std::uint64_t total) {
  auto taken = std::make_shared<metrics::Snapshot>();
  auto descriptor = std::make_shared<const metrics::FamilyDescriptor>(
      metrics::FamilyDescriptor{"app_x", "", "", std::move(labels), "", "app.x"});
  auto shared = std::make_shared<const std::vector<std::string>>(std::move(values));
  taken->families.push_back({descriptor, metrics::MetricType::kCounter, {{shared, metrics::CounterValue{total, {}}}}});
  return taken;
}

TEST(Gatherer, AFamilyThatGetsAnotherLabelGoesOn) {
  Gatherer gatherer({}, [](Metric&) {});
  gatherer.observe(snapshot_of({"process"}, {"ui"}, 5));
  gatherer.observe(snapshot_of({"process", "host"}, {"ui", ""}, 6));
  ASSERT_EQ(gatherer.metrics().size(), 1U);
  const Metric& metric = gatherer.metrics().begin()->second;
  EXPECT_EQ(metrics::as_double(std::get<metrics::Sum>(metric.period).total), 6);
  EXPECT_EQ(metric.series, 1U);
}

TEST(Gatherer, TheSameSnapshotTwiceIsNoNews) {
  Gatherer gatherer({}, [](Metric&) {});
  const auto snapshot = snapshot_of({"process"}, {"ui"}, 5);
  gatherer.observe(snapshot);
  gatherer.observe(snapshot);
  EXPECT_EQ(metrics::as_double(std::get<metrics::Sum>(gatherer.metrics().begin()->second.period).total), 5);
}

}  // namespace
}  // namespace connscope::policy
