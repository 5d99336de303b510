// SPDX-License-Identifier: Apache-2.0
//
// Which name the connects of interpreted programs are counted under, with the interpreters of this machine.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <memory>
#include <set>

#include "tests/integration/denied_test.h"

namespace connscope::testing {
namespace {

// Each makes as many attempts as its first argument says.
constexpr char kPython[] = R"(#!/usr/bin/python3
import os, socket, sys
def attempt(times):
    for _ in range(times):
        with socket.socket() as s:
            s.connect_ex(("10.88.2.1", 7000))
if "wait" in sys.argv:
    sys.stdin.readline()
if "fork" in sys.argv and os.fork():
    sys.exit(os.wait()[1])
if len(sys.argv) > 2 and sys.argv[2].isdigit():
    os.setuid(int(sys.argv[2]))
attempt(int(sys.argv[1]))
)";
constexpr char kPerl[] = R"(use Socket;
$0 = "a title of its own" if @ARGV > 1;
for (1 .. $ARGV[0]) {
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
  connect($s, sockaddr_in(7000, inet_aton("10.88.2.1")));
}
)";
constexpr char kBash[] = R"(#!/bin/bash
for ((i = 0; i < $1; i++)); do
  (exec 3<>/dev/tcp/10.88.2.1/7000) 2>/dev/null
done
exit 0
)";
constexpr char kNode[] = R"(const net = require('net');
for (let i = 0; i < Number(process.argv[2]); i++) net.connect(7000, '10.88.2.1').on('error', () => {});
)";
constexpr char kJava[] = R"(public class Attempts {
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      try { new java.net.Socket("10.88.2.1", 7000); } catch (java.io.IOException expected) { }
    }
  }
}
)";

class InterpretersTest : public DeniedTest {
 protected:
  void SetUp() override {
    DeniedTest::SetUp();
    folder_ = std::make_unique<TempDir>(must(TempDir::create()));
  }

  [[nodiscard]] std::string script(const std::string& name, const char* text) const {
    std::string path = must(folder_->write(name, text));
    if (::chmod(path.c_str(), 0755) != 0) throw std::runtime_error("chmod " + path);
    return path;
  }
  [[nodiscard]] ChildProcess start(const std::vector<std::string>& argv) const {
    return must(ChildProcess::spawn({argv, apart_->fd(), {}}));
  }
  void run(const std::vector<std::string>& argv) const {
    auto child = start(argv);
    EXPECT_TRUE(ended_well(must(child.wait(std::chrono::seconds(60))))) << argv[0] << ": " << child.standard_error();
  }
  static void TearDownTestSuite() { default_agent_.reset(); }
  /// One with the default config, for all the tests that need no other: it starts once.
  static const AgentProcess& default_agent() {
    if (!default_agent_) default_agent_ = std::make_unique<AgentProcess>(start_agent());
    return *default_agent_;
  }
  /// The executable's own name, which a link such as python3 leads to.
  static std::string name_of_executable(const char* path) {
    std::array<char, PATH_MAX> target{};
    const std::string whole = ::realpath(path, target.data()) != nullptr ? target.data() : path;
    return whole.substr(whole.rfind('/') + 1);
  }

  std::unique_ptr<TempDir> folder_;

 private:
  static std::unique_ptr<AgentProcess> default_agent_;
};

std::unique_ptr<AgentProcess> InterpretersTest::default_agent_;

TEST_F(InterpretersTest, TwoScriptsOfOneInterpreterAreTwoProcesses) {
  const AgentProcess& agent = default_agent();
  const std::string one = own_name("one");
  const std::string other = own_name("other");
  run({"/usr/bin/python3", script(one + ".py", kPython), "3"});
  run({"/usr/bin/python3", "-u", "-W", "ignore", script(other + ".py", kPython), "5"});
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(denied(shown, one), 3);
  EXPECT_EQ(denied(shown, other), 5);
}

TEST_F(InterpretersTest, EachInterpretersProgramHasItsName) {
  const AgentProcess& agent = default_agent();
  const std::string module = own_name("module");
  (void)script(module + ".py", kPython);
  run({"/usr/bin/env", "PYTHONPATH=" + folder_->path(), "/usr/bin/python3", "-m", module, "2"});
  run({"perl", "-w", script(own_name("perl") + ".pl", kPerl), "3"});
  run({"bash", "-o", "nounset", script(own_name("bash") + ".sh", kBash), "4"});
  run({"node", "--no-warnings", script(own_name("node") + ".js", kNode), "5"});
  // A class path that is longer than what is looked at of one argument.
  run({"java", "-XX:TieredStopAtLevel=1", "-cp", std::string(10'000, 'x'), script(own_name("Java") + ".java", kJava),
       "6"});
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(denied(shown, module), 2);
  EXPECT_EQ(denied(shown, own_name("perl")), 3);
  EXPECT_EQ(denied(shown, own_name("bash")), 4);
  EXPECT_EQ(denied(shown, own_name("node")), 5);
  EXPECT_EQ(denied(shown, own_name("Java")), 6);
}

TEST_F(InterpretersTest, AScriptThatIsExecutedItselfHasItsName) {
  const AgentProcess& agent = default_agent();
  run({script(own_name("direct") + ".py", kPython), "2"});
  run({script(own_name("no_extension"), kBash), "1"});
  EXPECT_EQ(denied(agent, own_name("direct")), 2);
  EXPECT_EQ(denied(agent, own_name("no_extension")), 1);
}

TEST_F(InterpretersTest, ALongPathHasItsNameFromItsEnd) {
  const AgentProcess& agent = default_agent();
  const std::string path = script(own_name("deep") + ".py", kPython);
  const std::string folder = path.substr(0, path.rfind('/'));
  std::string longer = folder;
  for (int i = 0; i < 60; ++i) longer += "/./.";
  run({"/usr/bin/python3", longer + path.substr(folder.size()), "2"});
  EXPECT_EQ(denied(agent, own_name("deep")), 2);
}

TEST_F(InterpretersTest, AProcessThatEndsAtOnceHasItsRightName) {
  const AgentProcess& agent = default_agent();
  const std::string path = script(own_name("brief"), kBash);
  for (int i = 0; i < 20; ++i) run({path, "1"});
  EXPECT_EQ(denied(agent, own_name("brief")), 20);
}

TEST_F(InterpretersTest, ATitleThatAProgramGivesItselfHidesNothing) {
  const AgentProcess& agent = default_agent();
  run({"perl", script(own_name("titled") + ".pl", kPerl), "2", "title"});
  EXPECT_EQ(denied(agent, own_name("titled")), 2);
}

TEST_F(InterpretersTest, ForkedChildrenHaveTheirParentsName) {
  const AgentProcess& agent = default_agent();
  run({"/usr/bin/python3", script(own_name("forks") + ".py", kPython), "3", "fork"});
  EXPECT_EQ(denied(agent, own_name("forks")), 3);
}

TEST_F(InterpretersTest, WhatAScriptExecutesHasItsOwnName) {
  const AgentProcess& agent = default_agent();
  const Actor actor = must(Actor::create("executed"));
  const std::string text = "#!/bin/sh\nexec " + actor.path() + " connect 10.88.2.1 7000 --count 2\n";
  run({script(own_name("executes"), text.c_str())});
  EXPECT_EQ(denied(agent, actor.name()), 2);
  EXPECT_EQ(denied(agent, own_name("executes")), 0);
}

TEST_F(InterpretersTest, AProgramThatRanBeforeTheAgentHasItsName) {
  auto child = start({"/usr/bin/python3", script(own_name("before") + ".py", kPython), "2", "wait"});
  auto parent = start({"/usr/bin/python3", script(own_name("before_fork") + ".py", kPython), "3", "wait", "fork"});
  const AgentProcess agent = start_agent();
  for (ChildProcess* process : {&child, &parent}) {
    must(process->write_input("go\n"));
    EXPECT_TRUE(ended_well(must(process->wait(std::chrono::seconds(20)))));
  }
  EXPECT_EQ(denied(agent, own_name("before")), 2);
  EXPECT_EQ(denied(agent, own_name("before_fork")), 3);
}

TEST_F(InterpretersTest, CodeInTheCommandLineHasTheInterpretersName) {
  const AgentProcess& agent = default_agent();
  const std::string interpreter = name_of_executable("/usr/bin/python3");
  const std::string code = std::string(kPython).substr(std::string(kPython).find('\n') + 1);
  run({"/usr/bin/python3", "-c", code, "3"});
  EXPECT_EQ(denied(agent, interpreter), 3);
}

TEST_F(InterpretersTest, TheConfigSaysWhichInterpretersAreLookedInto) {
  AgentProcess agent = start_agent("[identity]\ninterpreters = [\"perl\"]\n");
  const std::string python = name_of_executable("/usr/bin/python3");
  const std::string path = script(own_name("switched") + ".py", kPython);
  run({"/usr/bin/python3", path, "2"});
  run({"perl", script(own_name("always") + ".pl", kPerl), "1"});
  EXPECT_EQ(denied(agent, python), 2);
  EXPECT_EQ(denied(agent, own_name("switched")), 0);
  EXPECT_EQ(denied(agent, own_name("always")), 1);
  auto older = start({"/usr/bin/python3", path, "4", "wait"});
  must(agent.reload(std::string("[identity]\ninterpreters = true\n") + kWithoutTls));
  ASSERT_TRUE(agent.process().await_output("config reloaded", std::chrono::seconds(10))) << agent.log();
  must(older.write_input("go\n"));
  EXPECT_TRUE(ended_well(must(older.wait(std::chrono::seconds(20)))));
  EXPECT_EQ(denied(agent, own_name("switched")), 4);
  EXPECT_EQ(denied(agent, python), 2) << "what was counted stays where it was";
}

TEST_F(InterpretersTest, RulesSeeTheScript) {
  const AgentProcess agent =
      start_agent("[[process]]\nprefix = \"of_script\"\nscript = \"" + own_name("r") + "*.py\"\n");
  run({"/usr/bin/python3", script(own_name("r") + "_one.py", kPython), "2"});
  run({"/usr/bin/python3", script(own_name("r") + "_two.py", kPython), "3"});
  run({"/usr/bin/python3", script(own_name("s") + ".py", kPython), "1"});
  EXPECT_EQ(denied(agent, "of_script"), 5);
  EXPECT_EQ(denied(agent, own_name("s")), 1);
}

TEST_F(InterpretersTest, ExcludedPrefixesAreNotShownAndTheirProcessesAreCounted) {
  const AgentProcess agent = start_agent("[identity]\nexclude = [\"" + own_name("noise") + "*\"]\n");
  const std::string noise = script(own_name("noise") + ".py", kPython);
  run({"/usr/bin/python3", noise, "1"});
  const double first = must(agent.scrape()).sum("connscope_excluded_processes_total", {{"by", "exclude"}});
  for (int i = 0; i < 3; ++i) run({"/usr/bin/python3", noise, "5"});
  run({"/usr/bin/python3", script(own_name("signal") + ".py", kPython), "2"});
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.sum("connscope_excluded_processes_total", {{"by", "exclude"}}) - first, 3);
  EXPECT_EQ(shown.sum("connscope_excluded_processes_total", {{"by", "rule"}}), 0);
  EXPECT_EQ(shown.values_of("process").count(own_name("noise")), 0U);
  EXPECT_EQ(denied(shown, "other"), 0);
  EXPECT_EQ(denied(shown, own_name("signal")), 2);
}

TEST_F(InterpretersTest, ScriptsPastTheLimitOnPrefixesAreOther) {
  const AgentProcess agent = start_agent("[limits]\nprefixes = 3\n[[process]]\nuid = 0\ncapture = false\n");
  const std::string uid = std::to_string(1'000'000'000 + ::getpid());
  for (int i = 0; i < 8; ++i)
    run({"/usr/bin/python3", script(own_name("crowd") + std::to_string(i) + ".py", kPython), "2", uid});
  expect_five_in_other(must(agent.scrape()));
}

TEST_F(InterpretersTest, AScrapeSelectsScriptsAndCountsWhatItLeavesOut) {
  const AgentProcess& agent = default_agent();
  for (const char* name : {"picked_one", "picked_two", "left"})
    run({"/usr/bin/python3", script(own_name(name) + ".py", kPython), "1"});
  const std::string one = own_name("picked_one");
  const std::string two = own_name("picked_two");
  const Exposition chosen = must(agent.scrape("prefix=" + one + "&prefix=*d_tw*" + own_name("")));
  EXPECT_EQ(chosen.values_of("process"), (std::set<std::string>{one, two}));
  const auto nobody = must(agent.get("/metrics?prefix=" + own_name("nobody")));
  EXPECT_EQ(nobody.first, 200);
  EXPECT_EQ(nobody.second, "");
  const auto filtered = [&] {
    return must(agent.scrape("name[]=connscope_filtered_series_total"))
        .sum("connscope_filtered_series_total", {{"by", "prefix"}});
  };
  const double before = filtered();
  EXPECT_GT(before, 0);
  (void)must(agent.get("/metrics?prefix=" + own_name("nobody")));
  EXPECT_GT(filtered(), before);
}

}  // namespace
}  // namespace connscope::testing
