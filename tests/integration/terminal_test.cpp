// SPDX-License-Identifier: Apache-2.0
//
// What a person at a terminal is told by a real agent of real failures: "is it DNS?", within one screen.
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/control/socket.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr std::chrono::seconds kLimit(15);
constexpr int kFailedQueries = 20;

struct Told {
  int code = -1;
  std::string out;
  std::string error;
};

class TerminalTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    folder_ = std::make_unique<TempDir>(must(TempDir::create()));
    socket_ = folder_->path() + "/control.sock";
    netns_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start(
        {CONNSCOPE_AGENT},
        std::string(kWithoutTls) + "[limits]\nprefixes = 2000\n[control]\npath = \"" + socket_ + "\"\n")));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    netns_.reset();
    folder_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }

  static Told tell(Words words) {
    words.insert(words.begin(), CONNSCOPE_AGENT);
    words.insert(words.end(), {"--socket", socket_});
    auto child = must(ChildProcess::spawn({words, -1, {}}));
    const int status = must(child.wait(kLimit));
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, child.standard_output(), child.standard_error()};
  }

  /// Look-ups that a server answers with NXDOMAIN, and one connect that is refused.
  static void fail_lookups(const Actor& client, const Actor& server) {
    const auto listener = must(Listener::serve(server, {"127.0.0.1", "53"}, netns_->fd()));
    std::string steps = "udp";
    for (int i = 0; i < kFailedQueries; ++i) steps += ",ask:nxdomain.n" + std::to_string(i) + ".test/A,read:1";
    must(client.run({"ask", "127.0.0.1", "53", "--do", steps}, netns_->fd()));
  }

  static inline std::unique_ptr<TempDir> folder_;
  static inline std::string socket_;
  static inline std::unique_ptr<NetNamespace> netns_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

TEST_F(TerminalTest, P26_TopHasTheProcessWhoseLookupsFailOnTop) {
  const auto client = must(Actor::create("isitdns", CONNSCOPE_DNS_ACTOR));
  const auto server = must(Actor::create("nameserver", CONNSCOPE_DNS_ACTOR));
  fail_lookups(client, server);
  const Told page = tell({"top", "--once"});
  ASSERT_EQ(page.code, 0) << page.error;
  const std::size_t head = page.out.find("FAILURES");
  ASSERT_NE(head, std::string::npos) << page.out;
  const std::size_t first = page.out.find('\n', head) + 1;
  EXPECT_EQ(page.out.compare(first, client.name().size(), client.name()), 0) << page.out;
  EXPECT_THAT(page.out, HasSubstr("dns/nxdomain " + std::to_string(kFailedQueries))) << page.out;
}

TEST_F(TerminalTest, P26_ShowHasTheMetricsOfAProcess) {
  const auto client = must(Actor::create("shown", CONNSCOPE_DNS_ACTOR));
  const auto server = must(Actor::create("showing", CONNSCOPE_DNS_ACTOR));
  fail_lookups(client, server);
  const Told table = tell({"show", client.name() + ".n.cn.adns"});
  EXPECT_EQ(table.code, 0) << table.error;
  EXPECT_THAT(table.out, HasSubstr(client.name() + ".n.cn.adns"));
  EXPECT_THAT(tell({"show", client.name() + ".n.cn.adns", "--histogram"}).out, HasSubstr("adns: 20, mean "));
  const Told json = tell({"show", client.name() + ".n.cn.failures", "--json"});
  double failures = 0;
  for (std::size_t at = 0; at < json.out.size(); at = json.out.find('\n', at) + 1)
    failures += nlohmann::json::parse(json.out.substr(at, json.out.find('\n', at) - at)).at("value").get<double>();
  EXPECT_EQ(failures, kFailedQueries);
  const Told nothing = tell({"show", "no.such.metric"});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.error, HasSubstr("no metric matches 'no.such.metric'"));
}

TEST_F(TerminalTest, P26_EventsHasTheReasonWithinASecond) {
  const auto client = must(Actor::create("followed", CONNSCOPE_DNS_ACTOR));
  const auto server = must(Actor::create("following", CONNSCOPE_DNS_ACTOR));
  auto follower = must(ChildProcess::spawn(
      {{CONNSCOPE_AGENT, "events", "--json", "--stage", "dns", "--process", client.name(), "--socket", socket_},
       -1,
       {}}));
  ASSERT_TRUE(follower.await_output("following;", kLimit)) << follower.standard_error();
  fail_lookups(client, server);
  EXPECT_TRUE(follower.await_output("\"reason\":\"nxdomain\"", 1s)) << follower.standard_output();
  EXPECT_THAT(follower.standard_output(), HasSubstr("\"process\":\"" + client.name() + "\""));
  EXPECT_THAT(follower.standard_output(), HasSubstr("\"peer\":\"127.0.0.1:53\""));
}

TEST_F(TerminalTest, WithoutAnAgentItSaysSo) {
  auto child = must(ChildProcess::spawn({{CONNSCOPE_AGENT, "show", "--socket", socket_ + ".none"}, -1, {}}));
  EXPECT_EQ(WEXITSTATUS(must(child.wait(kLimit))), 3);
  EXPECT_THAT(child.standard_error(), HasSubstr("no agent runs here: nothing listens at " + socket_ + ".none"));
}

/// `connscope top` on a terminal of its own.
class Typist {
 public:
  explicit Typist(const std::string& socket) {
    int master = -1;
    const winsize size{24, 100, 0, 0};
    child_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (child_ == 0) {
      ::setenv("TERM", "xterm", 1);
      ::execl(CONNSCOPE_AGENT, "connscope", "top", "--interval", "0.2", "--socket", socket.c_str(), nullptr);
      ::_exit(127);
    }
    terminal_.reset(master);
  }
  ~Typist() {
    if (child_ > 0) ::kill(child_, SIGKILL), ::waitpid(child_, nullptr, 0);
  }
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  bool sees(const std::string& text) {
    std::array<char, 4096> buffer{};
    while (seen_.find(text) == std::string::npos) {
      const ssize_t count = ::read(terminal_.get(), buffer.data(), buffer.size());
      if (count <= 0) return false;
      seen_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return true;
  }
  void forget() { seen_.clear(); }
  void type(char key) { EXPECT_EQ(::write(terminal_.get(), &key, 1), 1); }
  [[nodiscard]] pid_t pid() const { return child_; }
  int wait() {
    int status = -1;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_ = -1;
  UniqueFd terminal_;
  std::string seen_;
};

constexpr char kRestored[] = "\x1b[?25h\x1b[?1049l";

TEST_F(TerminalTest, TopGivesTheTerminalBackOnQ) {
  Typist typist(socket_);
  ASSERT_TRUE(typist.sees("since the agent started"));
  ASSERT_TRUE(typist.sees("the last "));  // the next screen
  typist.forget();
  typist.type('s');
  ASSERT_TRUE(typist.sees("TLS OF ALL PROCESSES"));
  typist.type('q');
  EXPECT_TRUE(typist.sees(kRestored));
  EXPECT_EQ(typist.wait(), 0);
}

TEST_F(TerminalTest, TopGivesTheTerminalBackOnCtrlC) {
  Typist typist(socket_);
  ASSERT_TRUE(typist.sees("connscope top"));
  typist.type('\x03');
  EXPECT_TRUE(typist.sees(kRestored));
  EXPECT_EQ(typist.wait(), 0);
}

TEST_F(TerminalTest, TopDrawsAnewWhenTheTerminalChanges) {
  Typist typist(socket_);
  ASSERT_TRUE(typist.sees("connscope top"));
  ASSERT_EQ(::kill(typist.pid(), SIGWINCH), 0);
  typist.forget();
  EXPECT_TRUE(typist.sees("connscope top"));
  ASSERT_EQ(::kill(typist.pid(), SIGTERM), 0);
  EXPECT_TRUE(typist.sees(kRestored));
}

TEST_F(TerminalTest, ClientsThatDoNotReadDoNotHoldUpTheAgent) {
  std::vector<UniqueFd> stuck;
  const std::string request = "{\"command\":\"show\"}\n";
  for (int i = 0; i < 40; ++i) {
    stuck.push_back(must(control::connect_to(socket_)));
    ASSERT_EQ(::write(stuck.back().get(), request.data(), request.size()), static_cast<ssize_t>(request.size()));
  }
  EXPECT_EQ(tell({"show", "agent.*"}).code, 0);
  const auto shown = must(agent_->scrape());
  EXPECT_GE(shown.sum("connscope_control_requests_total"), 32);
  EXPECT_GE(shown.sum("connscope_control_dropped_total", {{"reason", "displaced"}}), 8);
}

TEST_F(TerminalTest, D4_StatusAndL31_ConnectionsAreServed) {
  const auto status = must(agent_->get("/status"));
  EXPECT_EQ(status.first, 200);
  EXPECT_EQ(nlohmann::json::parse(status.second).at("status"), "ok") << status.second;
  const auto connections = must(agent_->get("/connections"));
  EXPECT_EQ(connections.first, 404);
  EXPECT_THAT(connections.second, HasSubstr("[connections] keep"));
}

}  // namespace
}  // namespace connscope::testing
