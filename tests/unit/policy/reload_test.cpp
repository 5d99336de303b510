// SPDX-License-Identifier: Apache-2.0
//
// What a change of policies does to what was gathered: nothing is lost and nothing told twice.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/policy/stage.h"

namespace connscope::policy {
namespace {

using test::policy_of;
using test::Stage;
using test::sum_of;
using namespace std::chrono_literals;

TEST(Reload, L13_APolicyThatIsAddedReportsWhatCameBeforeIt) {
  Stage stage({});
  stage.counter("app_x").add(std::uint64_t{5});
  stage.pass(30s);
  EXPECT_TRUE(stage.take().empty());
  stage.reporter().apply({{policy_of("p", {"*"}, 1s)}, {}}, stage.now());
  stage.counter("app_x").add(std::uint64_t{2});
  stage.pass(1s);
  const auto sent = stage.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sum_of(*sent[0].second, "ui.app.x"), 7);
  EXPECT_EQ(sent[0].second->end - test::find(*sent[0].second, "ui.app.x").start, 31s);
}

TEST(Reload, APolicyThatIsTheSameKeepsItsTime) {
  const PolicySet set{{policy_of("p", {"*"}, 10s)}, {}};
  Stage stage(set);
  stage.counter("app_x").add(std::uint64_t{1});
  stage.pass(9s);
  stage.reporter().apply(set, stage.now());
  stage.pass(1s);
  EXPECT_EQ(stage.take().size(), 1U) << "a reload each 9 seconds must not silence a policy of 10";
}

TEST(Reload, AnotherIntervalHoldsFromTheReloadOn) {
  Stage stage({{policy_of("p", {"*"}, 10s)}, {}});
  stage.pass(9s);
  stage.reporter().apply({{policy_of("p", {"*"}, 3s)}, {}}, stage.now());
  EXPECT_EQ(stage.reporter().next_due(), stage.now().steady + 3s);
}

TEST(Reload, Bar4_AllReportsTogetherAreTheTotalWhateverChangesBetween) {
  std::mt19937 random(4);
  const auto some_set = [&random] {
    PolicySet set;
    for (const char* name : {"a", "b", "c"}) {
      if (random() % 4 == 0) continue;
      const auto interval = std::chrono::milliseconds(100 + random() % 2000);
      const std::string glob = random() % 2 == 0 ? "ui.*" : "*.app.*";
      set.policies.push_back(policy_of(name, {glob}, interval, {"log", "statsd"}));
    }
    if (random() % 2 == 0) set.accumulating = {"statsd"};
    return set;
  };
  Stage stage({});
  std::map<std::string, double> sums;
  const auto take = [&] {
    for (const auto& [exporter, report] : stage.take()) {
      if (exporter != "log") continue;  // which never accumulates here
      for (const char* metric : {"ui.app.x", "db.app.x"}) sums[metric] += sum_of(*report, metric);
    }
  };
  std::uint64_t added = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::uint64_t step = random() % 5;
    for (const char* process : {"ui", "db"}) stage.counter("app_x", process).add(step);
    added += step;
    if (random() % 3 == 0) stage.reporter().apply(some_set(), stage.now());
    if (random() % 5 == 0) (void)stage.reporter().move(random() % 2 == 0 ? "ui.*" : "db.app.x", "b");
    stage.pass(std::chrono::milliseconds(random() % 500));
    take();
  }
  stage.reporter().apply({{policy_of("all", {"*"}, 1s)}, {}}, stage.now());
  stage.pass(0ms);
  stage.reporter().report_at_stop(stage.now());
  take();
  EXPECT_EQ(sums["ui.app.x"], static_cast<double>(added));
  EXPECT_EQ(sums["db.app.x"], static_cast<double>(added));
}

}  // namespace
}  // namespace connscope::policy
