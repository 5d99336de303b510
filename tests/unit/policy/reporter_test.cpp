// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/stage.h"

namespace connscope::policy {
namespace {

using metrics::Occasion;
using test::aggregate_of;
using test::find;
using test::policy_of;
using test::Stage;
using test::sum_of;
using namespace std::chrono_literals;

Policy manual(std::string name, std::vector<std::string> report) {
  Policy policy = policy_of(std::move(name), std::move(report), 1s);
  policy.interval.reset();
  return policy;
}

TEST(Reporter, L11_APolicyOfOneSecondSendsOneReportASecond) {
  Stage stage({{policy_of("p", {"*"}, 1s)}, {}});
  for (int i = 0; i < 50; ++i) {
    stage.counter("app_x").add(std::uint64_t{1});
    stage.pass(100ms);
  }
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 5U);
  for (const auto& [exporter, report] : sent) {
    EXPECT_EQ(exporter, "log");
    EXPECT_EQ(report->policy, "p");
    EXPECT_EQ(report->occasion, Occasion::kPeriod);
    EXPECT_EQ(sum_of(*report, "ui.app.x"), 10);
  }
  EXPECT_EQ(sent[1].second->end - find(*sent[1].second, "ui.app.x").start, 1s);
}

TEST(Reporter, EachPolicyHasItsOwnPeriod) {
  Stage stage({{policy_of("fast", {"ui.*"}, 1s), policy_of("slow", {"*"}, 3s)}, {}});
  for (int i = 0; i < 6; ++i) {
    stage.counter("app_x", "ui").add(std::uint64_t{1});
    stage.counter("app_x", "db").add(std::uint64_t{1});
    stage.pass(1s);
  }
  std::map<std::string, std::vector<double>> sums;
  for (const auto& [exporter, report] : stage.take())
    sums[report->policy].push_back(sum_of(*report, report->policy == "fast" ? "ui.app.x" : "db.app.x"));
  EXPECT_EQ(sums["fast"], std::vector<double>(6, 1));
  EXPECT_EQ(sums["slow"], std::vector<double>(2, 3));
}

TEST(Reporter, TimesThatWereMissedAreNotMadeUpFor) {
  Stage stage({{policy_of("p", {"*"}, 1s)}, {}});
  stage.counter("app_x").add(std::uint64_t{1});
  stage.pass(4500ms);
  EXPECT_EQ(stage.take().size(), 1U);
  EXPECT_EQ(stage.reporter().next_due(), stage.now().steady + 500ms);
}

TEST(Reporter, L17_ResetOrAccumulateByExporterAndTheTotalForLifeIsLeftAlone) {
  Stage stage({{policy_of("p", {"*"}, 1s, {"log", "statsd"})}, {"statsd"}});
  for (int i = 0; i < 2; ++i) {
    stage.counter("app_x").add(std::uint64_t{5});
    stage.pass(1s);
  }
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sum_of(*sent[0].second, "ui.app.x"), 5);
  EXPECT_EQ(sum_of(*sent[1].second, "ui.app.x"), 5);
  EXPECT_EQ(sum_of(*sent[2].second, "ui.app.x"), 5);
  EXPECT_EQ(sent[2].second->accumulated, false);
  EXPECT_EQ(sum_of(*sent[3].second, "ui.app.x"), 10);
  EXPECT_EQ(sent[3].second->accumulated, true);
  EXPECT_EQ(find(*sent[3].second, "ui.app.x").start, metrics::WallTime(1h)) << "since it was first seen";
  EXPECT_EQ(metrics::as_double(stage.counter("app_x").total()), 10);
}

TEST(Reporter, L17_AfterAResetMinBeginsFromNone) {
  Stage stage({{policy_of("p", {"*"}, 1s, {"log", "statsd"})}, {"statsd"}});
  stage.connects("ok").observe(0.001);
  stage.pass(1s);
  stage.connects("ok").observe(0.1);
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_DOUBLE_EQ(*aggregate_of(*sent[2].second, "ui.n.cn.tcp").go().min, 0.1);
  EXPECT_DOUBLE_EQ(*aggregate_of(*sent[3].second, "ui.n.cn.tcp").go().min, 0.001);
  EXPECT_EQ(aggregate_of(*sent[3].second, "ui.n.cn.tcp").go().count, 2U);
}

TEST(Reporter, L18_L19_SumsHaveNoMeanAndWhatCannotFailHasNoNoGo) {
  Stage stage({{policy_of("p", {"*"}, 1s)}, {}});
  stage.counter("app_x").add(std::uint64_t{5});
  auto* waits = stage.registry()
                    .family<metrics::Histogram>({"w_seconds", "", "seconds", {"process"}, "", "w"},
                                                metrics::BucketLayout::create({1, 2}).value())
                    .value();
  waits->with({"ui"}).value()->observe(1.5);
  stage.pass(1s);
  const auto report = stage.take().at(0).second;
  EXPECT_TRUE(std::holds_alternative<metrics::Sum>(find(*report, "ui.app.x").reading));
  EXPECT_EQ(aggregate_of(*report, "ui.w").no_go().count, 0U);
  EXPECT_EQ(aggregate_of(*report, "ui.w").go().count, 1U);
}

TEST(Reporter, L22_NothingIsSaidWhenNothingHappened) {
  Stage stage({{policy_of("p", {"*"}, 1s)}, {}});
  stage.counter("app_x").add(std::uint64_t{1});
  stage.gauge("app_y").set(std::uint64_t{7});
  stage.pass(1s);
  EXPECT_EQ(stage.take().size(), 1U);
  for (int i = 0; i < 10; ++i) stage.pass(1s);
  EXPECT_TRUE(stage.take().empty());
}

TEST(Reporter, L22_UnlessThePolicyAsksForAReportOfZero) {
  Policy policy = policy_of("p", {"*"}, 1s);
  policy.inactivity = true;
  Stage stage({{policy}, {}});
  stage.counter("app_x").add(std::uint64_t{1});
  stage.gauge("app_y").set(std::uint64_t{7});
  stage.connects("ok");
  stage.pass(1s);
  stage.take();
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second->metrics.size(), 3U);
  EXPECT_EQ(sum_of(*sent[0].second, "ui.app.x"), 0);
  EXPECT_EQ(aggregate_of(*sent[0].second, "ui.n.cn.tcp").go().count, 0U);
  EXPECT_EQ(metrics::as_double(std::get<metrics::Level>(find(*sent[0].second, "ui.app.y").reading).value), 7);
}

TEST(Reporter, L24_TheLastReportHasWhatCameSinceTheOneBefore) {
  Policy silent = policy_of("silent", {"db.*"}, 1h);
  silent.at_stop = false;
  Stage stage({{policy_of("p", {"ui.*"}, 1h), silent}, {}});
  stage.counter("app_x", "ui").add(std::uint64_t{3});
  stage.counter("app_x", "db").add(std::uint64_t{4});
  stage.pass(10s);
  EXPECT_TRUE(stage.take().empty());
  stage.reporter().report_at_stop(stage.now());
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second->occasion, Occasion::kStop);
  EXPECT_EQ(sum_of(*sent[0].second, "ui.app.x"), 3);
}

TEST(Reporter, P15_AReportAtStartUpHasWhatThereIs) {
  Policy policy = policy_of("p", {"*"}, 1h);
  policy.at_start = true;
  Stage stage({{policy}, {}});
  stage.counter("app_x");
  stage.collect();
  stage.collect();
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second->occasion, Occasion::kStart);
  EXPECT_EQ(sent[0].second->metrics.size(), 1U);
}

TEST(Reporter, P13_AManualPolicyReportsOnRequestOnly) {
  Stage stage({{manual("m", {"*"})}, {}});
  stage.counter("app_x").add(std::uint64_t{1});
  stage.pass(24h);
  EXPECT_TRUE(stage.take().empty());
  EXPECT_EQ(stage.reporter().next_due(), std::nullopt);
  ASSERT_TRUE(stage.reporter().report_now("m", stage.now()));
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second->occasion, Occasion::kRequest);
  EXPECT_EQ(sum_of(*sent[0].second, "ui.app.x"), 1);
  EXPECT_THAT(stage.reporter().report_now("x", stage.now()).error().message(), ::testing::HasSubstr("allowed: m"));
}

TEST(Reporter, L14_AMetricThatIsMovedHasTheOtherCadence) {
  Stage stage({{policy_of("slow", {"*"}, 10s), policy_of("fast", {"none"}, 1s)}, {}});
  const auto each_second = [&stage](int seconds) {
    std::map<std::string, int> reports;
    for (int i = 0; i < seconds; ++i) {
      stage.counter("app_x").add(std::uint64_t{1});
      stage.pass(1s);
    }
    for (const auto& [exporter, report] : stage.take()) ++reports[report->policy];
    return reports;
  };
  EXPECT_EQ(each_second(10), (std::map<std::string, int>{{"slow", 1}}));
  ASSERT_TRUE(stage.reporter().move("ui.app.*", "fast"));
  EXPECT_EQ(each_second(10), (std::map<std::string, int>{{"fast", 10}}));
}

TEST(Reporter, L14_AMoveTakesAlongWhatWasNotReportedYet) {
  Stage stage({{policy_of("slow", {"*"}, 10s), policy_of("fast", {"none"}, 1s)}, {}});
  stage.counter("app_x").add(std::uint64_t{5});
  stage.collect();
  ASSERT_TRUE(stage.reporter().move("ui.app.*", "fast"));
  stage.counter("app_x").add(std::uint64_t{1});
  stage.pass(1s);
  EXPECT_EQ(sum_of(*stage.take().at(0).second, "ui.app.x"), 6);
}

}  // namespace
}  // namespace connscope::policy
