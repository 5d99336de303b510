// SPDX-License-Identifier: Apache-2.0
//
// Applications that send their own metrics to a running agent: by the client library, by plain sockets, under load, and
// by the examples of the README as they stand there.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "agent/base/file.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace connscope::testing {
namespace {

using namespace std::chrono_literals;

class IngestTest : public ::testing::Test {
 protected:
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }

  [[nodiscard]] std::string path() const { return folder_.path() + "/ingest.sock"; }
  [[nodiscard]] AgentProcess start_agent(const std::string& rules = {}, const std::string& keys = {}) const {
    return must(
        AgentProcess::start({CONNSCOPE_AGENT}, rules + kWithoutTls + "[ingest]\npath = \"" + path() + "\"\n" + keys));
  }
  /// Waits until the agent shows that sum.
  static bool shows(const AgentProcess& agent, const std::string& name, const LabelMap& labels, double value) {
    return eventually(20s, [&] { return must(agent.scrape()).sum(name, labels) == value; });
  }
  void send(std::string_view packet) const {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::sendto(fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)),
              static_cast<ssize_t>(packet.size()));
  }
  /// Runs a program that may take longer than most.
  static void run_long(const std::vector<std::string>& command) {
    ChildProcess child = must(ChildProcess::spawn({command, -1, {}}));
    ASSERT_TRUE(ended_well(must(child.wait(60s)))) << child.standard_error();
  }
  /// Runs `command` to its end where /run/connscope is this test's folder.
  [[nodiscard]] std::string run_at_default_path(const std::string& command) const {
    const std::string script =
        "mkdir -p /run/connscope && mount --bind " + folder_.path() + " /run/connscope && exec " + command;
    return must(run_program({{"unshare", "--mount", "sh", "-c", script}, -1, {}}));
  }
  /// The lines of the README's block after that comment.
  static std::string example(const std::string& name) {
    const std::string readme = must(read_file(CONNSCOPE_SOURCE_DIR "/README.md"));
    const auto mark = readme.find("<!-- example: " + name + " -->\n```");
    if (mark == std::string::npos) throw std::runtime_error("the README has no example " + name);
    const auto begin = readme.find('\n', readme.find("```", mark)) + 1;
    return readme.substr(begin, readme.find("```", begin) - begin);
  }

  TempDir folder_ = must(TempDir::create());
};

constexpr char kUi[] = "[[process]]\nprefix = \"ui\"\nexe = \"*/ingest_actor\"\n";

TEST_F(IngestTest, FourWorkersOfAMillionIncrementsAreFourMillion) {
  const AgentProcess agent = start_agent(kUi);
  run_long({CONNSCOPE_INGEST_ACTOR, path(), "4", "1000000"});
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "ui"}}, 4'000'000));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.count("app_x_total"), 1U) << "the workers are one series";
  EXPECT_DOUBLE_EQ(shown.sum("app_wait_seconds_count", {{"process", "ui"}}), 4);
  EXPECT_DOUBLE_EQ(shown.sum("app_wait_seconds_bucket", {{"process", "ui"}, {"le", "0.01"}}), 0);
  EXPECT_DOUBLE_EQ(shown.sum("app_wait_seconds_bucket", {{"process", "ui"}, {"le", "0.025"}}), 4);
  EXPECT_DOUBLE_EQ(shown.sum("connscope_ingest_refused_lines_total"), 0);
}

TEST_F(IngestTest, L15_AScrapeOfOnePrefixHasItsApplicationsMetricsToo) {
  const AgentProcess agent = start_agent(kUi);
  must(run_program({{CONNSCOPE_INGEST_ACTOR, path(), "1", "5"}, -1, {}}));
  send("app.x:7|c");
  ASSERT_TRUE(shows(agent, "app_x_total", {}, 12));
  EXPECT_DOUBLE_EQ(must(agent.scrape("prefix=ui")).sum("app_x_total"), 5);
}

TEST_F(IngestTest, AProcessThatARuleExcludesIsNotShownButCounted) {
  const AgentProcess agent = start_agent("[[process]]\nexe = \"*/ingest_actor\"\ncapture = false\n");
  must(run_program({{CONNSCOPE_INGEST_ACTOR, path(), "1", "5"}, -1, {}}));
  EXPECT_TRUE(eventually(20s, [&] {
    const Exposition shown = must(agent.scrape());
    const double excluded = shown.sum("connscope_ingest_refused_lines_total", {{"reason", "excluded"}});
    return excluded >= 2 && excluded == shown.sum("connscope_ingest_lines_total");
  }));
  EXPECT_EQ(must(agent.scrape()).count("app_x_total"), 0U);
}

TEST_F(IngestTest, P4_AnotherTypeIsRefusedCountedAndLoggedWithBothShapes) {
  AgentProcess agent = start_agent();
  send("app.x:1|c");
  ASSERT_TRUE(shows(agent, "app_x_total", {}, 1));
  send("app.x:1|g");
  EXPECT_TRUE(shows(agent, "connscope_ingest_refused_lines_total", {{"reason", "type_conflict"}}, 1));
  EXPECT_TRUE(agent.process().await_output("is registered as counter{process}", 10s));
  EXPECT_TRUE(agent.process().await_output("cannot also be gauge{process}", 10s));
}

TEST_F(IngestTest, ANewRuleHoldsForApplicationsToo) {
  AgentProcess agent = start_agent();
  send("app.x:1|c");
  ASSERT_TRUE(shows(agent, "app_x_total", {{"process", "ingest_integration_test"}}, 1));
  must(agent.reload("[[process]]\nprefix = \"renamed\"\nexe = \"*/ingest_integration_test\"\n" +
                    std::string(kWithoutTls) + "[ingest]\npath = \"" + path() + "\"\n"));
  ASSERT_TRUE(agent.process().await_output("config reloaded", 10s));
  send("app.x:2|c");
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "renamed"}}, 2));
  EXPECT_TRUE(shows(agent, "app_x_total", {}, 3));
}

TEST_F(IngestTest, WhatRulesWantOfAProcessHoldsFromItsFirstLineOnAndThroughAReload) {
  const std::string script = must(folder_.write("billing.py", R"(import socket, sys
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
for line in sys.stdin:
    socket.socket().connect_ex(("127.0.0.1", 9))
    sender.send(line.encode())
)"));
  const std::string rules = "args = true\n[[process]]\nprefix = \"nightly\"\nargs = \"* --night\"\n";
  AgentProcess agent = start_agent(rules);
  ChildProcess by_script = must(ChildProcess::spawn({{"python3", "-u", script, path()}, -1, {}}));
  ChildProcess by_arguments = must(ChildProcess::spawn({{"python3", "-u", script, path(), "--night"}, -1, {}}));
  const auto both_send = [&](const std::string& line) {
    for (ChildProcess* child : {&by_script, &by_arguments}) must(child->write_input(line));
  };
  both_send("app.x:1|c\n");
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "billing"}}, 1));
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "nightly"}}, 1));
  must(agent.reload(rules + kWithoutTls + "[ingest]\npath = \"" + path() + "\"\n"));
  ASSERT_TRUE(agent.process().await_output("config reloaded", 10s));
  both_send("app.x:2|c\n");
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "billing"}}, 3));
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "nightly"}}, 3));
  const Exposition shown = must(agent.scrape());
  EXPECT_EQ(shown.count("app_x_total"), 2U);
  for (const char* name : {"billing", "nightly"})
    EXPECT_EQ(shown.sum("conn_tcp_connects_total", {{"process", name}}), 2) << "what it sends goes by the same name";
}

TEST_F(IngestTest, AProcessThatHasWrittenOverItsCommandLineGoesByWhatItWasGiven) {
  const std::string script = must(folder_.write("worker.py", R"py(import ctypes, socket, sys
arguments = int(open("/proc/self/stat").read().rpartition(")")[2].split()[45])
ctypes.memmove(arguments, b"a title of its own\0", 19)
assert open("/proc/self/cmdline").read().startswith("a title")
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.connect(sys.argv[1])
sender.send(b"app.x:1|c")
sys.stdin.read()
)py"));
  const AgentProcess agent = start_agent();
  ChildProcess child = must(ChildProcess::spawn({{"python3", script, path()}, -1, {}}));
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "worker"}}, 1)) << child.standard_error();
}

TEST_F(IngestTest, OverUdpLinesAreTakenWithoutAProcess) {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  {
    const UniqueFd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(probe.get(), where, length), 0);
    ASSERT_EQ(::getsockname(probe.get(), where, &length), 0);
  }
  const AgentProcess agent =
      start_agent({}, "udp = true\nudp_address = \"127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "\"\n");
  constexpr std::string_view kLine = "app.x:3|c|#a:b";
  ASSERT_GT(::sendto(fd.get(), kLine.data(), kLine.size(), 0, where, length), 0);
  EXPECT_TRUE(shows(agent, "app_x_total", {{"process", "udp"}, {"a", "b"}}, 3));
  EXPECT_TRUE(shows(agent, "connscope_ingest_up", {{"transport", "udp"}}, 1));
}

TEST_F(IngestTest, ASecondAgentGoesWithoutAndSaysWho) {
  const AgentProcess first = start_agent();
  AgentProcess second = start_agent();
  EXPECT_TRUE(second.process().await_output(path() + ": another process receives there", 10s));
  EXPECT_DOUBLE_EQ(must(second.scrape()).sum("connscope_ingest_up", {{"transport", "unix"}}), 0);
  send("app.x:1|c");
  EXPECT_TRUE(shows(first, "app_x_total", {}, 1));
}

/// What the load says that it did.
nlohmann::json run_load(const std::vector<std::string>& flags) {
  std::vector<std::string> command = {CONNSCOPE_INGEST_LOAD, "--seconds=1"};
  command.insert(command.end(), flags.begin(), flags.end());
  return nlohmann::json::parse(must(run_program({command, -1, {}})));
}

TEST_F(IngestTest, SendersThatBlockLoseNothing) {
  const AgentProcess agent = start_agent();
  const auto sent = run_load({"--path=" + path()});
  EXPECT_GT(sent["lines"], 0);
  EXPECT_EQ(sent["lost_lines"], 0);
  EXPECT_TRUE(shows(agent, "connscope_ingest_lines_total", {}, sent["lines"]));
  EXPECT_DOUBLE_EQ(must(agent.scrape()).sum("connscope_ingest_refused_lines_total"), 0);
  EXPECT_DOUBLE_EQ(must(agent.scrape()).sum("connscope_ingest_series"), 100);
}

TEST_F(IngestTest, L28_WhatSendersThatDoNotBlockLoseIsCounted) {
  const AgentProcess agent = start_agent();
  const auto sent = run_load({"--path=" + path(), "--no-block"});
  const double lost = sent["lost_lines"];
  ASSERT_GT(lost, 0) << "the queue must be full at times";
  EXPECT_TRUE(shows(agent, "connscope_ingest_client_lost_lines_total", {{"process", "ingest_load"}}, lost));
  EXPECT_TRUE(eventually(10s, [&] {
    const Exposition shown = must(agent.scrape());
    const double told = 4;  // each process says in a line what it lost
    return shown.sum("connscope_ingest_lines_total") == double(sent["lines"]) + told;
  }));
}

TEST_F(IngestTest, TheReadmesCppExampleIsScraped) {
  const AgentProcess agent = start_agent();
  const std::string source = must(folder_.write("orders.cpp", example("orders.cpp")));
  const std::string program = folder_.path() + "/orders";
  run_long({"c++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-I", CONNSCOPE_SOURCE_DIR "/agent/client",
            source, "-pthread", "-o", program});
  (void)run_at_default_path("/run/connscope/orders");
  EXPECT_TRUE(shows(agent, "shop_orders_total", {{"process", "orders"}, {"kind", "book"}}, 3));
  const Exposition shown = must(agent.scrape());
  EXPECT_DOUBLE_EQ(shown.sum("shop_order_seconds_count", {{"process", "orders"}}), 3);
  EXPECT_DOUBLE_EQ(shown.sum("shop_stock", {{"process", "orders"}}), 97);
  EXPECT_DOUBLE_EQ(shown.sum("shop_page_bytes_count", {{"process", "orders"}}), 1);
}

TEST_F(IngestTest, TheReadmesPythonExampleIsScraped) {
  const AgentProcess agent = start_agent("[[process]]\nprefix = \"job\"\nexe = \"*/python3*\"\n");
  (void)must(folder_.write("job.py", example("job.py")));
  // It ends at once: on a busy host it may be gone before the agent has looked at it, and then no rule knows it.
  int runs = 0;
  Exposition shown;
  do {
    (void)run_at_default_path("python3 /run/connscope/job.py");
    ASSERT_TRUE(shows(agent, "connscope_ingest_lines_total", {}, 2 * ++runs));
    shown = must(agent.scrape());
  } while (shown.sum("job_duration_seconds_count", {{"process", "job"}}) == 0 && runs < 5);
  EXPECT_GE(shown.sum("job_duration_seconds_count", {{"process", "job"}}), 1);
  EXPECT_GE(shown.sum("job_rows_total", {{"process", "job"}, {"table", "users"}}), 250);
  EXPECT_DOUBLE_EQ(shown.sum("job_rows_total"), 250 * runs);
  EXPECT_DOUBLE_EQ(shown.sum("job_duration_seconds_count"), runs);
}

}  // namespace
}  // namespace connscope::testing
