// SPDX-License-Identifier: Apache-2.0
//
// Which name a connect is counted under: processes as the kernel side tells them apart.
#include <memory>
#include <set>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"

namespace connscope::testing {
namespace {

class IdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
  }

  /// Connects that are refused, on a loopback of their own.
  [[nodiscard]] std::vector<std::string> connect_with(const std::vector<std::string>& flags) const {
    std::vector<std::string> arguments = {"connect", "127.0.0.1", "7000"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return arguments;
  }
  void run(const Actor& actor, const std::vector<std::string>& flags) const {
    for (const Said& said : must(actor.run(connect_with(flags), apart_->fd()))) EXPECT_EQ(said.word, "ECONNREFUSED");
  }
  static double refused(const AgentProcess& agent, const std::string& process) {
    const ConnectCounts counts = ConnectCounts::of(must(agent.scrape()), process);
    EXPECT_EQ(counts.all_attempts(), counts.all_ended());
    const auto found = counts.failures.find("refused");
    return found == counts.failures.end() ? 0 : found->second;
  }
  static AgentProcess start_agent(const std::string& config = {}) {
    return must(AgentProcess::start({CONNSCOPE_AGENT}, config + kWithoutTls));
  }

  std::unique_ptr<NetNamespace> apart_;
};

TEST_F(IdentityTest, ThreadsWithNamesOfTheirOwnAreOneProcess) {
  const AgentProcess agent = start_agent();
  const Actor actor = must(Actor::create("threads"));
  run(actor, {"--threads", "4", "--count", "5"});
  EXPECT_EQ(refused(agent, actor.name()), 20);
  const std::set<std::string> processes = must(agent.scrape()).values_of("process");
  for (const std::string& process : processes) EXPECT_EQ(process.find("worker-"), std::string::npos) << process;
}

TEST_F(IdentityTest, ForkedChildrenWithoutExecHaveTheirParentsName) {
  const AgentProcess agent = start_agent();
  const Actor actor = must(Actor::create("forks"));
  run(actor, {"--forks", "3", "--count", "2"});
  EXPECT_EQ(refused(agent, actor.name()), 6);
}

TEST_F(IdentityTest, AProcessThatEndsAtOnceHasItsRightName) {
  const AgentProcess agent = start_agent();
  const Actor actor = must(Actor::create("brief"));
  for (int i = 0; i < 20; ++i) run(actor, {});
  EXPECT_EQ(refused(agent, actor.name()), 20);
}

TEST_F(IdentityTest, TheNameIsTheExecutablesAndNotTheFifteenBytesOfComm) {
  const AgentProcess agent = start_agent();
  const Actor actor = must(Actor::create("a_name_that_is_longer_than_comm"));
  run(actor, {});
  EXPECT_EQ(refused(agent, actor.name()), 1);
  EXPECT_EQ(refused(agent, actor.name().substr(0, 15)), 0);
}

TEST_F(IdentityTest, TwoProgramsWithOneNameAreOneProcessLabel) {
  const AgentProcess agent = start_agent();
  const Actor one = must(Actor::create("twin"));
  const Actor other = must(Actor::create("twin"));
  run(one, {"--count", "2"});
  run(other, {"--count", "3"});
  EXPECT_EQ(refused(agent, one.name()), 5);
}

TEST_F(IdentityTest, AProcessThatRanBeforeTheAgentHasItsName) {
  const Actor actor = must(Actor::create("before"));
  auto child = must(actor.start(connect_with({"--wait-line"}), apart_->fd()));
  const Actor threaded = must(Actor::create("before_threads"));
  auto threads = must(threaded.start(connect_with({"--wait-line", "--threads", "3"}), apart_->fd()));
  const AgentProcess agent = start_agent();
  for (ChildProcess* process : {&child, &threads}) {
    must(process->write_input("go\n"));
    must(process->wait(std::chrono::seconds(10)));
  }
  EXPECT_EQ(refused(agent, actor.name()), 1);
  EXPECT_EQ(refused(agent, threaded.name()), 3);
}

TEST_F(IdentityTest, ADeletedExecutableHasItsName) {
  std::unique_ptr<ChildProcess> child;
  {
    const Actor actor = must(Actor::create("deleted"));
    child = std::make_unique<ChildProcess>(must(actor.start(connect_with({"--wait-line"}), apart_->fd())));
  }
  const AgentProcess agent = start_agent();
  must(child->write_input("go\n"));
  must(child->wait(std::chrono::seconds(10)));
  EXPECT_EQ(refused(agent, own_name("deleted")), 1);
}

}  // namespace
}  // namespace connscope::testing
