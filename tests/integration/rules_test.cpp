// SPDX-License-Identifier: Apache-2.0
//
// The rules [[process]] against real processes, their limit, and what a scrape selects.
#include <unistd.h>

#include <memory>
#include <set>

#include "tests/integration/denied_test.h"
#include "tests/support/cgroup.h"

namespace connscope::testing {
namespace {

class RulesTest : public DeniedTest {
 protected:
  void run(const Actor& actor, const std::vector<std::string>& flags = {}, const std::string& cgroup = {}) const {
    std::vector<std::string> arguments = {"connect", "10.88.2.1", "7000"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    for (const Said& said : must(actor.run(arguments, apart_->fd(), cgroup))) EXPECT_EQ(said.word, "EACCES");
  }
};

std::string rule(const std::string& lines) { return "[[process]]\n" + lines + "\n"; }

std::string exe_of(const Actor& actor) { return "exe = \"*/" + actor.name() + "\"\n"; }

/// A user that no process has but those of this test, and a rule that leaves out what root runs: for the tests that add
/// all processes up.
std::vector<std::string> as_own_user() {
  const std::string uid = std::to_string(1'000'000'000 + ::getpid());
  return {"--count", "2", "--uid", uid, "--gid", uid};
}
constexpr char kWithoutRoot[] = "[[process]]\nuid = 0\ncapture = false\n";

TEST_F(RulesTest, ExeMatchesTheFullPath) {
  const Actor actor = must(Actor::create("by_exe"));
  const Actor other = must(Actor::create("by_exe"));
  const AgentProcess agent = start_agent(rule("prefix = \"exact\"\nexe = \"" + actor.path() + "\""));
  run(actor, {"--count", "2"});
  run(other, {"--count", "3"});
  EXPECT_EQ(denied(agent, "exact"), 2);
  EXPECT_EQ(denied(agent, other.name()), 3);
}

TEST_F(RulesTest, ExeMatchesAGlob) {
  const Actor actor = must(Actor::create("by_glob"));
  const AgentProcess agent = start_agent(rule("prefix = \"globbed\"\nexe = \"*/by_*" + own_name("b") + "\""));
  run(actor);
  EXPECT_EQ(denied(agent, "globbed"), 1);
}

TEST_F(RulesTest, CommMatches) {
  const Actor actor = must(Actor::create("by_comm"));
  const std::string comm = actor.name().substr(0, 15);
  const AgentProcess agent = start_agent(rule("prefix = \"commed\"\ncomm = \"" + comm + "\""));
  run(actor);
  EXPECT_EQ(denied(agent, "commed"), 1);
}

TEST_F(RulesTest, ArgsMatch) {
  const Actor actor = must(Actor::create("by_args"));
  const AgentProcess agent =
      start_agent("args = true\n" + rule("prefix = \"three\"\n" + exe_of(actor) + "args = \"*--count 3*\""));
  run(actor, {"--count", "3"});
  run(actor, {"--count", "4"});
  EXPECT_EQ(denied(agent, "three"), 3);
  EXPECT_EQ(denied(agent, actor.name()), 4);
}

TEST_F(RulesTest, UserMatchesTheUserThatTheProcessBecame) {
  const Actor actor = must(Actor::create("by_user"));
  const AgentProcess agent = start_agent(rule("prefix = \"as_nobody\"\n" + exe_of(actor) + "user = \"nobody\""));
  run(actor, {"--count", "2"});
  run(actor, {"--uid", "65534", "--gid", "65534"});
  EXPECT_EQ(denied(agent, "as_nobody"), 1);
  EXPECT_EQ(denied(agent, actor.name()), 2);
}

TEST_F(RulesTest, UidMatches) {
  const Actor actor = must(Actor::create("by_uid"));
  const AgentProcess agent = start_agent(rule("prefix = \"as_uid\"\n" + exe_of(actor) + "uid = 54321"));
  run(actor);
  run(actor, {"--uid", "54321", "--gid", "54321"});
  EXPECT_EQ(denied(agent, "as_uid"), 1);
  EXPECT_EQ(denied(agent, actor.name()), 1);
}

TEST_F(RulesTest, CgroupAndUnitMatch) {
  const std::string slice = own_name("connscope-test") + ".slice";
  const TestCgroup cgroup = must(TestCgroup::create(slice + "/web.service"));
  const Actor of_unit = must(Actor::create("unit_actor"));
  const Actor of_cgroup = must(Actor::create("cgroup_actor"));
  const AgentProcess agent = start_agent(rule("prefix = \"by_unit\"\n" + exe_of(of_unit) + "unit = \"web.*\"") +
                                         rule("prefix = \"by_cgroup\"\ncgroup = \"/" + slice + "/*\""));
  run(of_unit, {}, cgroup.path());
  run(of_unit, {"--count", "2"});
  run(of_cgroup, {}, cgroup.path());
  run(of_cgroup, {"--count", "3"});
  EXPECT_EQ(denied(agent, "by_unit"), 1);
  EXPECT_EQ(denied(agent, of_unit.name()), 2);
  EXPECT_EQ(denied(agent, "by_cgroup"), 1);
  EXPECT_EQ(denied(agent, of_cgroup.name()), 3);
}

TEST_F(RulesTest, ContainerMatches) {
  const std::string id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  const TestCgroup cgroup = must(TestCgroup::create(own_name("connscope-test") + ".slice/docker-" + id + ".scope"));
  const Actor actor = must(Actor::create("in_container"));
  const AgentProcess agent =
      start_agent(rule("prefix = \"contained\"\n" + exe_of(actor) + "container = \"" + id + "\""));
  run(actor, {}, cgroup.path());
  run(actor, {"--count", "2"});
  EXPECT_EQ(denied(agent, "contained"), 1);
  EXPECT_EQ(denied(agent, actor.name()), 2);
}

TEST_F(RulesTest, AProcessMovedToAnotherCgroupIsMatchedThere) {
  const TestCgroup cgroup = must(TestCgroup::create(own_name("connscope-test") + ".slice/moved.service"));
  const Actor actor = must(Actor::create("mover"));
  const AgentProcess agent = start_agent(rule("prefix = \"moved\"\n" + exe_of(actor) + "unit = \"moved.service\""));
  auto child = must(actor.start({"connect", "10.88.2.1", "7000", "--wait-line"}, apart_->fd()));
  must(cgroup.take_in(child.pid()));
  must(child.write_input("go\n"));
  must(child.wait(std::chrono::seconds(5)));
  EXPECT_EQ(denied(agent, "moved"), 1);
}

TEST_F(RulesTest, TheFirstRuleThatMatchesDecides) {
  const Actor actor = must(Actor::create("of_many"));
  const AgentProcess agent =
      start_agent(rule("prefix = \"never\"\n" + exe_of(actor) + "uid = 54321") +
                  rule("prefix = \"first\"\n" + exe_of(actor)) + rule("prefix = \"second\"\n" + exe_of(actor)));
  run(actor);
  EXPECT_EQ(denied(agent, "first"), 1);
  EXPECT_EQ(denied(agent, "second") + denied(agent, "never"), 0);
}

TEST_F(RulesTest, PrefixesPastTheLimitAreOther) {
  const AgentProcess agent = start_agent(std::string("[limits]\nprefixes = 3\n") + kWithoutRoot);
  for (int i = 0; i < 8; ++i) run(must(Actor::create("crowd" + std::to_string(i))), as_own_user());
  expect_five_in_other(must(agent.scrape()));
}

TEST_F(RulesTest, SeriesPastTheBudgetAreOther) {
  const AgentProcess agent = start_agent(std::string("[limits]\nseries = 100\n") + kWithoutRoot);
  for (int i = 0; i < 12; ++i) run(must(Actor::create("series" + std::to_string(i))), as_own_user());
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.sum("conn_failures_total", {{"reason", "denied"}}), 24);
  EXPECT_EQ(shown.sum("conn_tcp_connect_duration_seconds_count", {{"outcome", "fail"}}),
            shown.sum("conn_failures_total", {{"stage", "tcp"}}));
  EXPECT_GT(denied(shown, "other"), 0);
  EXPECT_GT(shown.sum("connscope_series_folded_total"), 0);
}

TEST_F(RulesTest, NothingOfAnExcludedProcessIsShown) {
  const Actor unseen = must(Actor::create("unseen"));
  const Actor seen = must(Actor::create("seen"));
  const AgentProcess agent =
      start_agent(rule(exe_of(unseen) + "capture = false") + rule("prefix = \"seen\"\n" + exe_of(seen)));
  run(unseen, {"--count", "3"});
  run(unseen, {"--threads", "3"});
  run(seen);
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.values_of("process").count(unseen.name()), 0U);
  EXPECT_EQ(denied(shown, "other"), 0);
  EXPECT_EQ(denied(shown, "seen"), 1);
}

TEST_F(RulesTest, AScrapeSelectsPrefixesAndNames) {
  const AgentProcess agent = start_agent("");
  const Actor a = must(Actor::create("chosen_a"));
  const Actor b = must(Actor::create("chosen_b"));
  const Actor out = must(Actor::create("left_out"));
  for (const Actor* actor : {&a, &b, &out}) run(*actor);
  const Exposition by_name = must(agent.scrape("name[]=conn_failures_total"));
  EXPECT_EQ(by_name.count("conn_tcp_connects_total"), 0U);
  EXPECT_EQ(denied(by_name, out.name()), 1);
  const Exposition by_prefix = must(agent.scrape("prefix=chosen_*" + own_name("")));
  EXPECT_EQ(denied(by_prefix, a.name()) + denied(by_prefix, b.name()), 2);
  EXPECT_EQ(by_prefix.values_of("process"), (std::set<std::string>{a.name(), b.name()}));
  const Exposition both =
      must(agent.scrape("prefix=" + a.name() + "&prefix=" + out.name() + "&name%5B%5D=conn_tcp_connects_total"));
  EXPECT_EQ(both.values_of("process"), (std::set<std::string>{a.name(), out.name()}));
  EXPECT_EQ(both.count("conn_failures_total"), 0U);
}

}  // namespace
}  // namespace connscope::testing
