// SPDX-License-Identifier: Apache-2.0
//
// Real servers of Debian as loopback stubs: the client's queries are the client's, those that the stub asks upstream
// for it are the stub's own, and its answers are served by it. Upstream is the scripted server.
#include <functional>
#include <memory>
#include <ostream>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(10);
constexpr char kStub[] = "127.0.0.53";
constexpr char kUpstream[] = "127.0.0.2";

// Without a cache, so that each query is asked upstream.
constexpr char kUnboundConfig[] = R"(server:
  interface: 127.0.0.53@53
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  num-threads: 1
  do-ip6: no
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  qname-minimisation: no
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.2@53
)";

struct Stub {
  std::string name;
  std::string program;
  /// The arguments, given the folder of the test.
  std::function<std::vector<std::string>(const TempDir&)> arguments;
};

void PrintTo(const Stub& stub, std::ostream* out) { *out << stub.name; }

std::vector<Stub> stubs() {
  const auto dnsmasq = [](const TempDir&) -> std::vector<std::string> {
    return {"--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--cache-size=0",
            "--user=root",
            "--pid-file=",
            "--bind-interfaces",
            "--listen-address=" + std::string(kStub),
            "--server=" + std::string(kUpstream)};
  };
  const auto unbound = [](const TempDir& folder) -> std::vector<std::string> {
    return {"-d", "-c", must(folder.write("unbound.conf", kUnboundConfig))};
  };
  return {{"dnsmasq", "/usr/sbin/dnsmasq", dnsmasq}, {"unbound", "/usr/sbin/unbound", unbound}};
}

class DnsStubTest : public ::testing::TestWithParam<Stub> {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    folder_ = std::make_unique<TempDir>(must(TempDir::create()));
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kWithoutTls)));
    client_ = std::make_unique<Actor>(must(Actor::create("stub_c", CONNSCOPE_DNS_ACTOR)));
    waiting_ = std::make_unique<Actor>(must(Actor::create("stub_w", CONNSCOPE_DNS_ACTOR)));
    upstream_ = std::make_unique<Actor>(must(Actor::create("stub_u", CONNSCOPE_DNS_ACTOR)));
    stub_ = std::make_unique<Actor>(must(Actor::create("stub_" + GetParam().name, GetParam().program)));
    listener_ = std::make_unique<Listener>(must(Listener::serve(*upstream_, {kUpstream, "53"}, apart_->fd())));
    stub_process_ = std::make_unique<ChildProcess>(must(stub_->start(GetParam().arguments(*folder_), apart_->fd())));
    await_stub();
  }

  /// Asks under another process name until the stub answers.
  void await_stub() const {
    ASSERT_TRUE(eventually(kLimit, [&] {
      return waiting_->run({"ask", kStub, "53", "--do", "tcp,ask:ok.first.test,read:1"}, apart_->fd()).operator bool();
    })) << stub_process_->standard_error();
  }
  std::vector<std::string> ask(const std::string& steps) const {
    return words_of(must(client_->run({"ask", kStub, "53", "--do", steps}, apart_->fd())));
  }
  [[nodiscard]] DnsCounts counts_of(const Actor& actor) const {
    return DnsCounts::of(must(agent_->scrape()), actor.name());
  }

  std::unique_ptr<TempDir> folder_;
  std::unique_ptr<NetNamespace> apart_;
  std::unique_ptr<AgentProcess> agent_;
  std::unique_ptr<Actor> client_;
  std::unique_ptr<Actor> waiting_;
  std::unique_ptr<Actor> upstream_;
  std::unique_ptr<Actor> stub_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<ChildProcess> stub_process_;
};

Counts minus(Counts counts, const Counts& before) {
  for (const auto& [key, count] : before) {
    counts[key] -= count;
    if (counts[key] == 0) counts.erase(key);
  }
  return counts;
}

TEST_P(DnsStubTest, TheStubsOwnQueriesAreNotItsClients) {
  const DnsCounts before = counts_of(*stub_);
  const DnsCounts upstream_before = counts_of(*upstream_);
  const double waited_before = before.seconds;
  std::string steps = "udp";
  for (int i = 0; i < 10; ++i) steps += ",ask:delay-20.n" + std::to_string(i) + ".test,read:1";
  for (int i = 0; i < 5; ++i) steps += ",ask:nxdomain.n" + std::to_string(i) + ".test/AAAA,read:1";
  steps += ",close,tcp";
  for (int i = 0; i < 5; ++i) steps += ",ask:ok.n" + std::to_string(i) + ".test,read:1";
  std::vector<std::string> said(10, "noerror");
  said.insert(said.end(), 5, "nxdomain");
  said.insert(said.end(), 5, "noerror");
  EXPECT_EQ(ask(steps), said);

  DnsCounts wanted;
  wanted.queries = {{"udp A", 10}, {"udp AAAA", 5}, {"tcp A", 5}};
  wanted.ok = {{"udp A", 10}, {"tcp A", 5}};
  wanted.failed = {{"udp AAAA", 5}};
  wanted.responses = {{"NOERROR A", 15}, {"NXDOMAIN AAAA", 5}};
  wanted.failures = {{"nxdomain", 5}};
  {
    SCOPED_TRACE("client");
    expect_counts(counts_of(*client_), wanted, 1);
  }
  SCOPED_TRACE("stub");
  const DnsCounts stub = counts_of(*stub_);
  EXPECT_EQ(minus(stub.served, before.served), (Counts{{"NOERROR", 15}, {"NXDOMAIN", 5}}));
  const Counts asked = minus(stub.queries, before.queries);
  // dnsmasq asks over the transport that it was asked over, unbound over UDP.
  double all = 0;
  for (const auto& [kind, count] : asked) all += count;
  EXPECT_EQ(all, 20);
  EXPECT_EQ(minus(stub.responses, before.responses), (Counts{{"NOERROR A", 15}, {"NXDOMAIN AAAA", 5}}));
  EXPECT_EQ(minus(stub.failures, before.failures), (Counts{{"nxdomain", 5}}));
  EXPECT_EQ(stub.in_flight, 0);
  EXPECT_GE(stub.seconds - waited_before, 10 * 0.016);
  SCOPED_TRACE("upstream");
  EXPECT_EQ(minus(counts_of(*upstream_).served, upstream_before.served), (Counts{{"NOERROR", 15}, {"NXDOMAIN", 5}}));
  EXPECT_EQ(counts_of(*upstream_).all_queries(), 0);
}

TEST_P(DnsStubTest, AFailureUpstreamIsOneOfEach) {
  const DnsCounts before = counts_of(*stub_);
  EXPECT_EQ(ask("udp,ask:refused.a.test,read:1").size(), 1U);
  const DnsCounts client = counts_of(*client_);
  EXPECT_EQ(client.queries, (Counts{{"udp A", 1}}));
  EXPECT_EQ(client.failed, (Counts{{"udp A", 1}}));
  const DnsCounts stub = counts_of(*stub_);
  // It may ask more than once, and the client is told in the stub's own words.
  EXPECT_GE(minus(stub.failures, before.failures)["refused"], 1);
  EXPECT_EQ(stub.all_served(), before.all_served() + 1);
  expect_dns_laws(must(agent_->scrape()), stub_->name());
}

TEST_P(DnsStubTest, TruncationIsOneQueryOfWhoeverAsksAgain) {
  const DnsCounts before = counts_of(*stub_);
  if (GetParam().name == "unbound") {
    EXPECT_EQ(ask("udp,ask:tc.a.test,read:1"), std::vector<std::string>{"noerror"});
    const DnsCounts stub = counts_of(*stub_);
    EXPECT_EQ(minus(stub.queries, before.queries), (Counts{{"udp A", 1}}));
    EXPECT_EQ(minus(stub.ok, before.ok), (Counts{{"udp A", 1}}));
    EXPECT_EQ(stub.truncated, 1);
    EXPECT_EQ(stub.in_flight, 0);
  } else {
    // It hands the truncated answer on.
    EXPECT_EQ(ask("udp,ask:tc.a.test,read:1,close,tcp,again,read:1"), (std::vector<std::string>{"tc", "noerror"}));
  }
  const DnsCounts client = counts_of(*client_);
  EXPECT_EQ(client.queries, (Counts{{"udp A", 1}}));
  EXPECT_EQ(client.ok, (Counts{{"udp A", 1}}));
  EXPECT_EQ(client.truncated, GetParam().name == "unbound" ? 0 : 1);
  expect_dns_laws(must(agent_->scrape()), stub_->name());
}

INSTANTIATE_TEST_SUITE_P(Stubs, DnsStubTest, ::testing::ValuesIn(stubs()),
                         [](const auto& stub) { return stub.param.name; });

}  // namespace
}  // namespace connscope::testing
