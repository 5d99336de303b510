// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/policy_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/stage.h"

namespace connscope::policy {
namespace {

using test::policy_of;
using test::Stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

TEST(PolicyBook, L12_TheFirstPolicyThatMatchesHasTheMetric) {
  PolicyBook book;
  book.set({policy_of("dns", {"*.n.cn.dns", "*.n.cn.adns"}, 1s), policy_of("rest", {"*.n.*"}, 1s)}, {});
  EXPECT_EQ(book.assign("ui.n.cn.dns"), 0U);
  EXPECT_EQ(book.assign("ui.n.cn.tcp"), 1U);
  EXPECT_EQ(book.assign("cpu.svc"), Metric::kNoPolicy);
}

TEST(PolicyBook, L12_AStarMatchesNothingAndAnything) {
  PolicyBook book;
  book.set({policy_of("p", {"*n.cn.tcp*", "a*c*e"}, 1s)}, {});
  for (const char* name : {"n.cn.tcp", "ui.n.cn.tcp", "ui.n.cn.tcp.connects", "ace", "abcde"})
    EXPECT_EQ(book.assign(name), 0U) << name;
  EXPECT_EQ(book.assign("ui.n.cn.dns"), Metric::kNoPolicy);
}

TEST(PolicyBook, L12_APatternThatMatchesNothingForAMinuteIsWarnedOfOnce) {
  Stage stage({{policy_of("p", {"*.n.cn.tcp", "*.n.cn.tpc"}, 10s)}, {}});
  stage.connects("ok").observe(0.1);
  stage.pass(59s);
  EXPECT_THAT(stage.take_warnings(), IsEmpty());
  stage.pass(1s);
  EXPECT_THAT(stage.take_warnings(), ElementsAre(HasSubstr("policy p: pattern \"*.n.cn.tpc\" has matched no metric")));
  stage.pass(120s);
  EXPECT_THAT(stage.take_warnings(), IsEmpty());
}

TEST(PolicyBook, APatternThatAReloadKeepsIsNotWarnedOfAgain) {
  const PolicySet set{{policy_of("p", {"nothing.*"}, 10s)}, {}};
  Stage stage(set);
  stage.pass(60s);
  EXPECT_EQ(stage.take_warnings().size(), 1U);
  stage.reporter().apply(set, stage.now());
  stage.pass(60s);
  EXPECT_THAT(stage.take_warnings(), IsEmpty());
}

TEST(PolicyBook, AMoveNeedsAPolicyAndAPattern) {
  PolicyBook book;
  book.set({policy_of("slow", {"x"}, 1s)}, {});
  EXPECT_THAT(book.move("*", "slo").error().message(), HasSubstr("no policy has the name \"slo\"; allowed: slow"));
  EXPECT_THAT(book.move("", "slow").error().message(), HasSubstr("pattern is empty"));
  PolicyBook empty;
  EXPECT_THAT(empty.move("*", "p").error().message(), HasSubstr("no [[policy]]"));
}

TEST(PolicyBook, TheLatestMoveHolds) {
  PolicyBook book;
  book.set({policy_of("a", {"*"}, 1s), policy_of("b", {"x"}, 1s), policy_of("c", {"x"}, 1s)}, {});
  ASSERT_TRUE(book.move("ui.*", "b"));
  ASSERT_TRUE(book.move("ui.n.*", "c"));
  EXPECT_EQ(book.assign("ui.n.x"), 2U);
  ASSERT_TRUE(book.move("ui.*", "a"));
  EXPECT_EQ(book.assign("ui.n.x"), 0U);
  EXPECT_EQ(book.moves().size(), 2U) << "the same pattern is there once";
}

TEST(PolicyBook, MovesAreBounded) {
  PolicyBook book;
  book.set({policy_of("a", {"*"}, 1s)}, {});
  for (std::size_t i = 0; i < PolicyBook::kMaxMoves; ++i) ASSERT_TRUE(book.move("m" + std::to_string(i), "a"));
  EXPECT_FALSE(book.move("one.more", "a"));
  EXPECT_TRUE(book.move("m1", "a")) << "one that is there may be moved again";
}

TEST(PolicyBook, AMoveToAPolicyThatIsGoneEndsWithAWord) {
  Stage stage({{policy_of("a", {"*"}, 1s), policy_of("b", {"x"}, 1s)}, {}});
  ASSERT_TRUE(stage.reporter().move("ui.*", "b"));
  stage.reporter().apply({{policy_of("a", {"*"}, 1s)}, {}}, stage.now());
  EXPECT_THAT(stage.take_warnings(), ElementsAre(HasSubstr("policy b is gone")));
  stage.counter("app_x").add(std::uint64_t{1});
  stage.pass(1s);
  EXPECT_EQ(stage.take().size(), 1U);
}

}  // namespace
}  // namespace connscope::policy
