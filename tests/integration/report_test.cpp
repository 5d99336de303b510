// SPDX-License-Identifier: Apache-2.0
//
// Reports of a running agent, by its policies, to a StatsD receiver: against what the agent's own totals say.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/control/client.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/dns_exchange.h"
#include "tests/support/eventually.h"
#include "tests/support/statsd_receiver.h"

namespace connscope::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kLimit = 10s;

std::string policy(const std::string& name, const std::string& interval, const std::string& report,
                   const std::string& more = {}) {
  return "[[policy]]\nname = \"" + name + "\"\ninterval = \"" + interval + "\"\nreport = [\"" + report +
         "\"]\nto = [\"statsd\"]\n" + more;
}

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    folder_ = std::make_unique<TempDir>(must(TempDir::create()));
    receiver_ = must(StatsdReceiver::bind(statsd_path()));
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    actor_ = std::make_unique<Actor>(must(Actor::create("reported")));
  }

  [[nodiscard]] std::string statsd_path() const { return folder_->path() + "/statsd"; }
  [[nodiscard]] std::string control_path() const { return folder_->path() + "/control"; }
  [[nodiscard]] std::string config(const std::string& policies, const std::string& statsd = {}) const {
    return "[exporter.statsd]\naddress = \"unix:" + statsd_path() + "\"\n" + statsd + "[control]\npath = \"" +
           control_path() + "\"\n[[process]]\nprefix = \"ui\"\nexe = \"" + actor_->path() + "\"\n" + kWithoutTls +
           policies;
  }
  AgentProcess start(const std::string& policies, const std::string& statsd = {}) const {
    return must(AgentProcess::start({CONNSCOPE_AGENT}, config(policies, statsd)));
  }
  /// Connects that are refused: nobody listens there.
  void connect(int count) const {
    must(actor_->run({"connect", "127.0.0.1", "7000", "--count", std::to_string(count)}, apart_->fd()));
  }
  [[nodiscard]] static double total(const AgentProcess& agent) {
    return must(agent.scrape("prefix=ui")).sum("conn_tcp_connects_total");
  }
  [[nodiscard]] double reported() const { return receiver_->counter(kConnects); }

  static constexpr char kConnects[] = "ui.n.cn.tcp.connects.ip_family.ipv4";
  std::unique_ptr<TempDir> folder_;
  std::unique_ptr<StatsdReceiver> receiver_;
  std::unique_ptr<NetNamespace> apart_;
  std::unique_ptr<Actor> actor_;
};

TEST_F(ReportTest, L11_L17_WhatIsReportedAddsUpAndTheTotalForLifeOnlyRises) {
  const AgentProcess agent = start(policy("p", "200ms", "ui.n.cn.*"));
  connect(5);
  EXPECT_TRUE(eventually(kLimit, [&] { return reported() == 5; })) << agent.log();
  EXPECT_EQ(total(agent), 5);
  connect(5);
  EXPECT_TRUE(eventually(kLimit, [&] { return reported() == 10; }));
  EXPECT_EQ(total(agent), 10);
  EXPECT_EQ(receiver_->counter("ui.n.cn.tcp.ip_family.ipv4.no_go.count"), 10);
  EXPECT_GT(receiver_->gauge("ui.n.cn.tcp.ip_family.ipv4.no_go.min"), 0);
  EXPECT_LE(receiver_->gauge("ui.n.cn.tcp.ip_family.ipv4.no_go.min"),
            receiver_->gauge("ui.n.cn.tcp.ip_family.ipv4.no_go.mean"));
  EXPECT_EQ(receiver_->counter("ui.n.cn.failures.role.client.tcp.refused"), 10);
  EXPECT_EQ(receiver_->counter("ui.n.cn.tcp.ip_family.ipv4.go.count"), 0);
}

TEST_F(ReportTest, L3_AnAttemptThatNeverFinishedIsANoGo) {
  must(apart_->nft(
      "table inet hole {\n chain input {\n type filter hook input priority 0\n tcp dport 7001 drop\n }\n}\n"));
  const AgentProcess agent = start(policy("p", "200ms", "ui.n.cn.*"));
  ChildProcess client = must(actor_->start({"connect", "127.0.0.1", "7001"}, apart_->fd()));
  ASSERT_TRUE(eventually(kLimit, [&] { return total(agent) == 1; }));
  must(client.send_signal(SIGKILL));
  must(client.wait(kLimit));
  EXPECT_TRUE(eventually(kLimit, [&] {
    return receiver_->counter("ui.n.cn.tcp.ip_family.ipv4.no_go.count") == 1 &&
           receiver_->counter("ui.n.cn.failures.role.client.tcp.aborted") == 1;
  }));
  EXPECT_EQ(receiver_->counter("ui.n.cn.tcp.ip_family.ipv4.go.count"), 0);
}

TEST_F(ReportTest, P14_ACollectTellsWhatItCosts) {
  const AgentProcess agent = start("");
  must(agent.scrape());
  const Exposition shown = must(agent.scrape());
  for (const char* collector : {"tcp", "dns", "identity"}) {
    EXPECT_GT(shown.sum("connscope_collect_duration_seconds", {{"collector", collector}}), 0) << collector;
    EXPECT_EQ(shown.sum("connscope_collect_success", {{"collector", collector}}), 1) << collector;
  }
}

TEST_F(ReportTest, L17_OrTheyAccumulate) {
  const AgentProcess agent = start(policy("p", "200ms", "ui.n.cn.*"), "accumulate = true\n");
  connect(5);
  EXPECT_TRUE(eventually(kLimit, [&] { return receiver_->gauge(kConnects) == 5; }));
  connect(5);
  EXPECT_TRUE(eventually(kLimit, [&] { return receiver_->gauge(kConnects) == 10; }));
  EXPECT_EQ(receiver_->counter(kConnects), 0);
}

TEST_F(ReportTest, L13_L24_APolicyAddedByReloadTellsWhatCameBeforeAndTheLastReportIsSentAtTheEnd) {
  AgentProcess agent = start("");
  connect(3);
  EXPECT_EQ(total(agent), 3);
  must(agent.reload(config(policy("p", "1h", "ui.*"))));
  ASSERT_TRUE(agent.process().await_output("config reloaded", kLimit));
  connect(2);
  EXPECT_EQ(total(agent), 5);
  EXPECT_EQ(receiver_->packets(), 0U);
  EXPECT_TRUE(ended_well(must(agent.stop())));
  EXPECT_TRUE(eventually(kLimit, [&] { return reported() == 5; }));
}

TEST_F(ReportTest, L22_NothingIsSentWhileNothingHappens) {
  const AgentProcess agent = start(policy("p", "100ms", "ui.n.cn.*") + policy("tick", "100ms", "cpu.svc"));
  connect(1);
  ASSERT_TRUE(eventually(kLimit, [&] { return reported() == 1; }));
  // What changed when the connect ended, such as how many are in flight, may come one report later.
  const std::size_t first_ticks = receiver_->packets_with("cpu.svc");
  ASSERT_TRUE(eventually(kLimit, [&] { return receiver_->packets_with("cpu.svc") >= first_ticks + 5; }));
  const std::size_t ticks = receiver_->packets_with("cpu.svc");
  const std::size_t others = receiver_->packets() - ticks;
  ASSERT_TRUE(eventually(kLimit, [&] { return receiver_->packets_with("cpu.svc") >= ticks + 10; }));
  EXPECT_EQ(receiver_->packets() - receiver_->packets_with("cpu.svc"), others);
}

TEST_F(ReportTest, L14_P13_CommandsMoveMetricsAndAskForReports) {
  const AgentProcess agent = start(policy("slow", "1h", "ui.*") + policy("manual", "manual", "none"));
  const auto ask = [this](nlohmann::json request) {
    request["command"] = "policy";
    std::vector<nlohmann::json> lines;
    const Status asked =
        control::ask_for_all(control_path(), request, [&lines](const nlohmann::json& line) { lines.push_back(line); });
    return std::pair(asked ? std::string() : asked.error().message(), lines);
  };
  connect(4);
  EXPECT_EQ(total(agent), 4);
  const auto [problem, policies] = ask({{"action", "list"}});
  EXPECT_EQ(problem, "");
  ASSERT_EQ(policies.size(), 2U);
  EXPECT_EQ(policies[0]["policy"], "slow");
  EXPECT_EQ(policies[0]["interval_seconds"], 3600);
  EXPECT_TRUE(policies[1]["interval_seconds"].is_null());
  EXPECT_EQ(ask({{"action", "move"}, {"glob", "ui.n.cn.*"}, {"policy", "manual"}}).first, "");
  EXPECT_EQ(reported(), 0);
  EXPECT_EQ(ask({{"action", "report"}, {"policy", "manual"}}).first, "");
  EXPECT_TRUE(eventually(kLimit, [&] { return reported() == 4; }));
  EXPECT_NE(ask({{"action", "report"}, {"policy", "none"}}).first.find("allowed: slow, manual"), std::string::npos);
  EXPECT_NE(ask({{"action", "x"}}).first.find("allowed: list, show, move, report"), std::string::npos);
  bool is_shown = false;
  for (const auto& line : ask({{"action", "show"}, {"policy", "manual"}}).second)
    is_shown = is_shown || line["metric"] == "ui.n.cn.tcp.connects";
  EXPECT_TRUE(is_shown);
}

TEST_F(ReportTest, AReceiverThatIsDownIsCountedAndDelaysNothing) {
  AgentProcess agent = start(policy("p", "100ms", "cpu.svc") +
                             "[exporter.nowhere]\ntype = \"statsd\"\naddress = \"unix:" + folder_->path() +
                             "/nowhere\"\n[[policy]]\nname = \"n\"\ninterval = \"100ms\"\nreport = "
                             "\"process.*\"\nto = \"nowhere\"\ninactivity = true\n");
  ASSERT_TRUE(eventually(kLimit, [&] {
    return must(agent.scrape()).sum("connscope_export_failures_total", {{"exporter", "nowhere"}}) > 0;
  }));
  ASSERT_TRUE(eventually(kLimit, [&] { return receiver_->packets_with("cpu.svc") >= 5; }));
  EXPECT_NE(agent.log().find("exporter nowhere: unix:"), std::string::npos);
  EXPECT_GT(must(agent.scrape()).sum("connscope_export_reports_total", {{"exporter", "statsd"}}), 0);
  ASSERT_TRUE(ended_well(must(agent.stop())));
  EXPECT_THAT(agent.log(), ContainsRegex("exporter nowhere: [0-9]+ reports were not sent before the end: unix:"))
      << "no scrape has that count any more";
  EXPECT_THAT(agent.log(), Not(HasSubstr("exporter statsd:")));
}

/// Ten of about one millisecond, and one of a hundred, by this program itself.
TEST_F(ReportTest, L20_L21_TheSlowOneOfElevenIsInTheReportWithItsProcess) {
  constexpr std::uint16_t kDnsPort = 5399;
  const AgentProcess agent = start(
      "[[process]]\nprefix = \"self\"\nexe = \"*/report_integration_test\"\n[probe.dns]\nports = [5399]\n[[policy]]\n"
      "name = \"slow\"\ninterval = \"1h\"\nreport = [\"self.*\"]\nto = [\"log\"]\n"
      "outliers = { percent = 50, min_samples = 10, at_once = true }\n");
  for (std::uint16_t id = 1; id <= 10; ++id) exchange_dns(kDnsPort, id, 0, 1ms);
  // The kernel knows by one collect what is usual, and by the next for whom.
  for (int i = 0; i < 2; ++i) must(agent.scrape());
  exchange_dns(kDnsPort, 11, 0, 100ms);
  const std::string outlier = "self.n.cn.adns: outlier: 1";
  ASSERT_TRUE(eventually(kLimit, [&] { return agent.log().find(outlier) != std::string::npos; })) << agent.log();
  const std::string log = agent.log();
  const std::string line = log.substr(log.find(outlier), log.find('\n', log.find(outlier)) - log.find(outlier));
  EXPECT_NE(line.find(", pid: " + std::to_string(::getpid())), std::string::npos) << line;
  EXPECT_NE(line.find(", peer: 127.0.0.1:5399"), std::string::npos) << line;
  EXPECT_EQ(log.find(": outlier:"), log.rfind(": outlier:")) << log;
}

/// The policies of one of several configs that are loaded in turn.
std::string policies_of_turn(int turn) {
  switch (turn % 4) {
    case 0:
      return policy("a", "100ms", "ui.*");
    case 1:
      return policy("b", "300ms", "*.n.cn.*") + policy("a", "100ms", "cpu.*");
    case 2:
      return policy("a", "200ms", "ui.n.*", "outliers = { percent = 50, min_samples = 5 }\n");
    default:
      return "";
  }
}

/// How long the config is reloaded in a loop: ten seconds, or as long as CONNSCOPE_RELOAD_SECONDS says (tests/soak).
std::chrono::seconds reload_time() {
  const char* wanted = std::getenv("CONNSCOPE_RELOAD_SECONDS");
  return std::chrono::seconds(wanted == nullptr ? 10 : std::strtol(wanted, nullptr, 10));
}

TEST_F(ReportTest, Bar4_NoEventIsLostOrToldTwiceWhileTheConfigIsReloadedUnderLoad) {
  AgentProcess agent = start(policies_of_turn(0));
  const auto end = std::chrono::steady_clock::now() + reload_time();
  std::thread load([this, end] {
    while (std::chrono::steady_clock::now() < end) connect(200);
  });
  int turn = 0;
  while (std::chrono::steady_clock::now() < end) {
    must(agent.reload(config(policies_of_turn(++turn))));
    std::this_thread::sleep_for(50ms);
  }
  load.join();
  must(agent.reload(config(policies_of_turn(0))));
  const double all = total(agent);
  EXPECT_GT(all, 1000);
  EXPECT_GT(turn, 50);
  EXPECT_TRUE(eventually(kLimit, [&] { return reported() == all; })) << reported() << " of " << all;
  EXPECT_TRUE(ended_well(must(agent.stop())));
  EXPECT_EQ(reported(), all) << "and the end tells nothing again";
}

}  // namespace
}  // namespace connscope::testing
