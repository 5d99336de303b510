// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/policy/stage.h"

namespace connscope::policy {
namespace {

using metrics::Occasion;
using test::policy_of;
using test::Stage;
using namespace std::chrono_literals;

constexpr double kPercent = 50;

Policy watching(OutlierRule rule) {
  Policy policy = policy_of("p", {"*.n.cn.*"}, 10s);
  policy.outliers = rule;
  return policy;
}

Policy watching() {
  OutlierRule rule;
  rule.percent = kPercent;
  rule.min_samples = 10;
  rule.keep = 2;
  return watching(rule);
}

const OutlierWatch::Key kConnects{"ui", "n.cn.tcp"};

metrics::Outlier slow_connect() {
  metrics::Outlier outlier;
  outlier.process = "ui";
  outlier.id = "n.cn.tcp";
  outlier.seconds = 0.1;
  outlier.mean_seconds = 0.001;
  outlier.peer = "192.0.2.1:443";
  return outlier;
}

TEST(Outliers, L20_BoundsComeFromTheMeanOfEnoughSamplesBefore) {
  Stage stage({{watching()}, {}});
  for (int i = 0; i < 9; ++i) stage.connects("ok").observe(0.001);
  stage.pass(1s);
  EXPECT_TRUE(stage.bounds().empty()) << "nine are not enough";
  stage.connects("ok").observe(0.001);
  stage.pass(1s);
  ASSERT_EQ(stage.bounds().count(kConnects), 1U);
  const OutlierBounds& bounds = stage.bounds().at(kConnects);
  EXPECT_NEAR(bounds.mean, 0.001, 1e-9);
  EXPECT_NEAR(bounds.low, 0.0005, 1e-9);
  EXPECT_NEAR(bounds.high, 0.0015, 1e-9);
}

TEST(Outliers, L20_FailuresAreNotInTheMean) {
  Stage stage({{watching()}, {}});
  for (int i = 0; i < 10; ++i) stage.connects("ok").observe(0.001);
  for (int i = 0; i < 10; ++i) stage.connects("fail").observe(10);
  stage.pass(1s);
  EXPECT_NEAR(stage.bounds().at(kConnects).mean, 0.001, 1e-9);
}

TEST(Outliers, TheMeanOfTheLastPeriodHoldsUntilThisOneHasEnough) {
  Stage stage({{watching()}, {}});
  for (int i = 0; i < 10; ++i) stage.connects("ok").observe(0.001);
  stage.pass(10s);
  stage.connects("ok").observe(0.005);
  stage.pass(1s);
  EXPECT_NEAR(stage.bounds().at(kConnects).mean, 0.001, 1e-9);
  for (int i = 0; i < 9; ++i) stage.connects("ok").observe(0.005);
  stage.pass(1s);
  EXPECT_NEAR(stage.bounds().at(kConnects).mean, 0.005, 1e-9);
}

TEST(Outliers, BoundsEndWithTheRule) {
  Stage stage({{watching()}, {}});
  for (int i = 0; i < 10; ++i) stage.connects("ok").observe(0.001);
  stage.pass(1s);
  EXPECT_TRUE(stage.reporter().wants_outliers());
  stage.reporter().apply({{policy_of("p", {"*"}, 1s)}, {}}, stage.now());
  EXPECT_TRUE(stage.bounds().empty());
  EXPECT_FALSE(stage.reporter().wants_outliers());
}

TEST(Outliers, L21_AReportHasABoundedNumberAndCountsTheOthers) {
  Stage stage({{watching()}, {}});
  for (int i = 0; i < 5; ++i) stage.reporter().take_outlier(slow_connect(), stage.now());
  EXPECT_TRUE(stage.take().empty());
  stage.pass(10s);
  auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  ASSERT_EQ(sent[0].second->outliers.size(), 2U);
  EXPECT_EQ(sent[0].second->outliers[0].peer, "192.0.2.1:443");
  EXPECT_EQ(sent[0].second->outliers_left_out, 3U);
  stage.pass(10s);
  EXPECT_TRUE(stage.take().empty()) << "each is told once";
}

TEST(Outliers, L23_SentTheMomentTheyHappenUpToABoundedNumberAPeriod) {
  OutlierRule rule;
  rule.percent = kPercent;
  rule.keep = 2;
  rule.at_once = true;
  Stage stage({{watching(rule)}, {}});
  for (int i = 0; i < 5; ++i) stage.reporter().take_outlier(slow_connect(), stage.now());
  auto sent = stage.take();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].second->occasion, Occasion::kOutlier);
  EXPECT_EQ(sent[0].second->outliers.at(0).process, "ui");
  stage.pass(10s);
  sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second->outliers_left_out, 3U);
  stage.reporter().take_outlier(slow_connect(), stage.now());
  EXPECT_EQ(stage.take().size(), 1U) << "the next period has room again";
}

TEST(Outliers, OfAMetricWithoutSuchAPolicyAreNotTold) {
  Stage stage({{policy_of("p", {"*"}, 1s)}, {}});
  stage.reporter().take_outlier(slow_connect(), stage.now());
  stage.pass(1s);
  EXPECT_TRUE(stage.take().empty());
}

}  // namespace
}  // namespace connscope::policy
