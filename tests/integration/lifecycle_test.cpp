// SPDX-License-Identifier: Apache-2.0
//
// The agent as an administrator meets it: reload, refusal of a broken file, end.
#include <csignal>
#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(5);

std::string renamed_to(const std::string& prefix) {
  return "[[process]]\nprefix = \"" + prefix + "\"\nexe = \"*/" + own_name("reloaded") + "\"\n";
}

class LifecycleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    actor_ = std::make_unique<Actor>(must(Actor::create("reloaded")));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, renamed_to("old"))));
  }

  void connect_once() const { must(actor_->run({"connect", "127.0.0.1", "7000"}, apart_->fd())); }
  [[nodiscard]] double attempts(const std::string& process) const {
    return must(agent_->scrape()).sum("conn_tcp_connects_total", {{"process", process}});
  }

  std::unique_ptr<NetNamespace> apart_;
  std::unique_ptr<Actor> actor_;
  std::unique_ptr<AgentProcess> agent_;
};

TEST_F(LifecycleTest, ReloadRenamesFromThenOnAndNoCounterFalls) {
  connect_once();
  EXPECT_EQ(attempts("old"), 1);
  must(agent_->reload(renamed_to("new")));
  // Each attempt after the reload has been taken in is under the new name; those before it stay where they are.
  double made = 1;
  ASSERT_TRUE(eventually(kLimit, [&] {
    connect_once();
    ++made;
    return attempts("new") > 0;
  }));
  const double old_attempts = attempts("old");
  EXPECT_EQ(old_attempts + attempts("new"), made);
  connect_once();
  EXPECT_EQ(attempts("old"), old_attempts);
  EXPECT_EQ(attempts("old") + attempts("new"), made + 1);
}

TEST_F(LifecycleTest, ABrokenFileChangesNothing) {
  connect_once();
  const std::size_t logged = agent_->log().size();
  must(agent_->reload(renamed_to("half_applied") + "exe_ = \"*\"\n"));
  ASSERT_TRUE(eventually(kLimit, [&] { return agent_->log().find("exe_", logged) != std::string::npos; }))
      << agent_->log();
  connect_once();
  EXPECT_EQ(attempts("old"), 2);
  EXPECT_EQ(attempts("half_applied"), 0);
}

TEST_F(LifecycleTest, ABrokenFileMendedIsTaken) {
  must(agent_->reload("[[process]\n"));
  must(agent_->reload(renamed_to("mended")));
  EXPECT_TRUE(eventually(kLimit, [&] {
    connect_once();
    return attempts("mended") > 0;
  }));
}

TEST_F(LifecycleTest, ARuleThatExcludesWorksAtOnceAfterReload) {
  auto child = must(actor_->start({"connect", "127.0.0.1", "7000", "--count", "2", "--wait-line"}, apart_->fd()));
  connect_once();
  EXPECT_EQ(attempts("old"), 1);
  const Actor probe = must(Actor::create("reload_probe"));
  must(agent_->reload("[[process]]\nexe = \"" + actor_->path() + "\"\ncapture = false\n[[process]]\n" +
                      "prefix = \"probe\"\nexe = \"" + probe.path() + "\"\n"));
  ASSERT_TRUE(eventually(kLimit, [&] {
    must(probe.run({"connect", "127.0.0.1", "7000"}, apart_->fd()));
    return attempts("probe") > 0;
  }));
  must(child.write_input("go\n"));
  must(child.wait(kLimit));
  connect_once();
  EXPECT_EQ(attempts("old") + attempts(actor_->name()), 1);
}

TEST_F(LifecycleTest, AnAttemptOlderThanTheAgentLeavesTheCountsBalanced) {
  must(apart_->nft(
      "table inet older {\n chain output {\n type filter hook output priority 0\n tcp dport 7001 drop\n }\n}\n"));
  const Actor older = must(Actor::create("older"));
  auto child = must(older.start({"connect", "127.0.0.1", "7001"}, apart_->fd()));
  ASSERT_TRUE(eventually(kLimit, [&] { return is_connecting(child.pid(), "7001"); }));
  agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, "")));
  must(child.send_signal(SIGKILL));
  must(child.wait(kLimit));
  const ConnectCounts counts = ConnectCounts::of(must(agent_->scrape()), older.name());
  EXPECT_EQ(counts.all_attempts(), counts.all_ended());
  EXPECT_EQ(counts.in_flight, 0);
}

TEST_F(LifecycleTest, ItsProbesAreUp) {
  const Exposition shown = must(agent_->scrape());
  for (const char* probe : {"identity", "tcp"}) {
    EXPECT_EQ(shown.sum("connscope_probe_up", {{"probe", probe}}), 1) << probe << "\n" << agent_->log();
  }
}

TEST_F(LifecycleTest, WithoutPrivilegeTheProbesAreOffAndTheRestIsOn) {
  const AgentProcess agent = must(AgentProcess::start(
      {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", CONNSCOPE_AGENT}, ""));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.count("connscope_probe_up", {{"probe", "tcp"}}), 1U);
  EXPECT_EQ(shown.sum("connscope_probe_up", {{"probe", "tcp"}}), 0);
  EXPECT_EQ(shown.count("connscope_build_info"), 1U);
  EXPECT_NE(agent.log().find("CAP_BPF"), std::string::npos) << agent.log();
}

TEST_F(LifecycleTest, TermEndsItWithZero) { EXPECT_TRUE(ended_well(must(agent_->stop()))) << agent_->log(); }

}  // namespace
}  // namespace connscope::testing
