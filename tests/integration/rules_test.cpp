// SPDX-License-Identifier: Apache-2.0
//
// The rules [[process]] against real processes, their limit, and what a scrape selects.
#include <memory>
#include <set>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/cgroup.h"

namespace connscope::testing {
namespace {

class RulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    must(apart_->ip("route add prohibit 10.88.2.0/24\n"));
  }

  /// Attempts on a prohibited route: a reason that nothing else on the host has at the same time.
  void run(const Actor& actor, const std::vector<std::string>& flags = {}, const std::string& cgroup = {}) const {
    std::vector<std::string> arguments = {"connect", "10.88.2.1", "7000"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    for (const Said& said : must(actor.run(arguments, apart_->fd(), cgroup))) EXPECT_EQ(said.word, "EACCES");
  }
  static AgentProcess start_agent(const std::string& config) {
    return must(AgentProcess::start({CONNSCOPE_AGENT}, config));
  }
  static double denied(const Exposition& shown, const std::string& process) {
    return shown.sum("conn_failures_total", {{"process", process}, {"reason", "denied"}});
  }
  static double denied(const AgentProcess& agent, const std::string& process) {
    return denied(must(agent.scrape()), process);
  }

  std::unique_ptr<NetNamespace> apart_;
};

std::string rule(const std::string& lines) { return "[[process]]\n" + lines + "\n"; }

TEST_F(RulesTest, ExeMatchesTheFullPath) {
  const Actor actor = must(Actor::create("by_exe"));
  const Actor other = must(Actor::create("by_exe"));
  const AgentProcess agent = start_agent(rule("prefix = \"exact\"\nexe = \"" + actor.path() + "\""));
  run(actor, {"--count", "2"});
  run(other, {"--count", "3"});
  EXPECT_EQ(denied(agent, "exact"), 2);
  EXPECT_EQ(denied(agent, "by_exe"), 3);
}

TEST_F(RulesTest, ExeMatchesAGlob) {
  const AgentProcess agent = start_agent(rule("prefix = \"globbed\"\nexe = \"*/by_gl*b\""));
  run(must(Actor::create("by_glob")));
  EXPECT_EQ(denied(agent, "globbed"), 1);
}

TEST_F(RulesTest, CommMatches) {
  const AgentProcess agent = start_agent(rule("prefix = \"commed\"\ncomm = \"by_comm\""));
  run(must(Actor::create("by_comm")));
  EXPECT_EQ(denied(agent, "commed"), 1);
}

TEST_F(RulesTest, ArgsMatch) {
  const AgentProcess agent =
      start_agent("args = true\n" + rule("prefix = \"three\"\nexe = \"*/by_args\"\nargs = \"*--count 3*\""));
  const Actor actor = must(Actor::create("by_args"));
  run(actor, {"--count", "3"});
  run(actor, {"--count", "4"});
  EXPECT_EQ(denied(agent, "three"), 3);
  EXPECT_EQ(denied(agent, "by_args"), 4);
}

TEST_F(RulesTest, UserMatchesTheUserThatTheProcessBecame) {
  const AgentProcess agent = start_agent(rule("prefix = \"as_nobody\"\nexe = \"*/by_user\"\nuser = \"nobody\""));
  const Actor actor = must(Actor::create("by_user"));
  run(actor, {"--count", "2"});
  run(actor, {"--uid", "65534", "--gid", "65534"});
  EXPECT_EQ(denied(agent, "as_nobody"), 1);
  EXPECT_EQ(denied(agent, "by_user"), 2);
}

TEST_F(RulesTest, UidMatches) {
  const AgentProcess agent = start_agent(rule("prefix = \"as_uid\"\nexe = \"*/by_uid\"\nuid = 54321"));
  const Actor actor = must(Actor::create("by_uid"));
  run(actor);
  run(actor, {"--uid", "54321", "--gid", "54321"});
  EXPECT_EQ(denied(agent, "as_uid"), 1);
  EXPECT_EQ(denied(agent, "by_uid"), 1);
}

TEST_F(RulesTest, CgroupAndUnitMatch) {
  const TestCgroup cgroup = must(TestCgroup::create("connscope-test.slice/web.service"));
  const AgentProcess agent =
      start_agent(rule("prefix = \"by_unit\"\nexe = \"*/unit_actor\"\nunit = \"web.*\"") +
                  rule("prefix = \"by_cgroup\"\nexe = \"*/cgroup_actor\"\ncgroup = \"/connscope-test.slice/*\""));
  const Actor of_unit = must(Actor::create("unit_actor"));
  const Actor of_cgroup = must(Actor::create("cgroup_actor"));
  run(of_unit, {}, cgroup.path());
  run(of_unit, {"--count", "2"});
  run(of_cgroup, {}, cgroup.path());
  EXPECT_EQ(denied(agent, "by_unit"), 1);
  EXPECT_EQ(denied(agent, "unit_actor"), 2);
  EXPECT_EQ(denied(agent, "by_cgroup"), 1);
}

TEST_F(RulesTest, ContainerMatches) {
  const std::string id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  const TestCgroup cgroup = must(TestCgroup::create("connscope-test.slice/docker-" + id + ".scope"));
  const AgentProcess agent = start_agent(rule("prefix = \"contained\"\ncontainer = \"" + id + "\""));
  const Actor actor = must(Actor::create("in_container"));
  run(actor, {}, cgroup.path());
  run(actor, {"--count", "2"});
  EXPECT_EQ(denied(agent, "contained"), 1);
  EXPECT_EQ(denied(agent, "in_container"), 2);
}

TEST_F(RulesTest, TheFirstRuleThatMatchesDecides) {
  const AgentProcess agent =
      start_agent(rule("prefix = \"never\"\nexe = \"*/of_many\"\nuid = 54321") +
                  rule("prefix = \"first\"\nexe = \"*/of_many\"") + rule("prefix = \"second\"\nexe = \"*/of_*\""));
  run(must(Actor::create("of_many")));
  EXPECT_EQ(denied(agent, "first"), 1);
  EXPECT_EQ(denied(agent, "second") + denied(agent, "never"), 0);
}

TEST_F(RulesTest, PrefixesPastTheLimitAreOther) {
  const AgentProcess agent = start_agent("[limits]\nprefixes = 3\n");
  for (int i = 0; i < 8; ++i) run(must(Actor::create("crowd" + std::to_string(i))), {"--count", "2"});
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.sum("conn_failures_total", {{"reason", "denied"}}), 16);
  EXPECT_GE(denied(shown, "other"), 2 * (8 - 3));
  std::set<std::string> prefixes = shown.values_of("process");
  prefixes.erase("other");
  EXPECT_LE(prefixes.size(), 3U);
}

TEST_F(RulesTest, SeriesPastTheBudgetAreOther) {
  const AgentProcess agent = start_agent("[limits]\nseries = 100\n");
  for (int i = 0; i < 12; ++i) run(must(Actor::create("series" + std::to_string(i))), {"--count", "2"});
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.sum("conn_failures_total", {{"reason", "denied"}}), 24);
  EXPECT_EQ(shown.sum("conn_tcp_connect_duration_seconds_count", {{"outcome", "fail"}}),
            shown.sum("conn_failures_total", {{"stage", "tcp"}}));
  EXPECT_GT(denied(shown, "other"), 0);
  EXPECT_GT(shown.sum("connscope_series_folded_total"), 0);
}

TEST_F(RulesTest, AProcessMovedToAnotherCgroupIsMatchedThere) {
  const TestCgroup cgroup = must(TestCgroup::create("connscope-test.slice/moved.service"));
  const AgentProcess agent = start_agent(rule("prefix = \"moved\"\nunit = \"moved.service\""));
  const Actor actor = must(Actor::create("mover"));
  auto child = must(actor.start({"connect", "10.88.2.1", "7000", "--wait-line"}, apart_->fd()));
  must(cgroup.take_in(child.pid()));
  must(child.write_input("go\n"));
  must(child.wait(std::chrono::seconds(5)));
  EXPECT_EQ(denied(agent, "moved"), 1);
}

TEST_F(RulesTest, NothingOfAnExcludedProcessIsShown) {
  const AgentProcess agent = start_agent(rule("exe = \"*/unseen\"\ncapture = false"));
  run(must(Actor::create("unseen")), {"--count", "3"});
  run(must(Actor::create("unseen")), {"--threads", "3"});
  run(must(Actor::create("seen")));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.values_of("process").count("unseen"), 0U);
  EXPECT_EQ(shown.sum("conn_failures_total", {{"reason", "denied"}}), 1);
  EXPECT_EQ(denied(shown, "seen"), 1);
}

TEST_F(RulesTest, AScrapeSelectsPrefixesAndNames) {
  const AgentProcess agent = start_agent("");
  run(must(Actor::create("chosen_a")));
  run(must(Actor::create("chosen_b")));
  run(must(Actor::create("left_out")));
  const Exposition by_name = must(agent.scrape("name[]=conn_failures_total"));
  EXPECT_EQ(by_name.count("conn_tcp_connects_total"), 0U);
  EXPECT_EQ(denied(by_name, "left_out"), 1);
  const Exposition by_prefix = must(agent.scrape("prefix=chosen_*"));
  EXPECT_EQ(denied(by_prefix, "chosen_a") + denied(by_prefix, "chosen_b"), 2);
  EXPECT_EQ(by_prefix.values_of("process"), (std::set<std::string>{"chosen_a", "chosen_b"}));
  const Exposition both = must(agent.scrape("prefix=chosen_a&prefix=left_out&name%5B%5D=conn_tcp_connects_total"));
  EXPECT_EQ(both.values_of("process"), (std::set<std::string>{"chosen_a", "left_out"}));
  EXPECT_EQ(both.count("conn_failures_total"), 0U);
}

}  // namespace
}  // namespace connscope::testing
