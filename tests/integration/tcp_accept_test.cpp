// SPDX-License-Identifier: Apache-2.0
//
// The passive side: who accepted, how long connections waited for it, and what listeners had to drop. What the programs
// and the kernel's own tables say, against what the agent counted, exactly, and twice.
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tcp_counts.h"
#include "tests/integration/world_test.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using Words = std::vector<std::string>;

constexpr char kServer4[] = "10.77.0.2";
constexpr char kServer6[] = "fd77::2";
constexpr char kServerMapped[] = "::ffff:10.77.0.2";
constexpr std::chrono::seconds kLimit(10);

struct AcceptScenario {
  /// Letters, digits and underscores.
  std::string name;
  /// Of `tcp_actor serve` and of `talk`.
  Words serve = {};
  Words talk = {};
  std::string address = kServer4;
  std::string ip_family = "ipv4";
  /// Connections of one run.
  int count = 1;
  /// The flag by which another program listens, and has the server accept.
  std::string launched_by = {};
  /// Bounds of the waits of one run, summed.
  double min_wait = 0;
  double max_wait = 0.25;
  /// Bytes that a connection brings with its SYN.
  double early_bytes = 0;
};

void PrintTo(const AcceptScenario& scenario, std::ostream* out) { *out << scenario.name; }

std::vector<AcceptScenario> accept_scenarios() {
  std::vector<AcceptScenario> list;
  list.push_back({"plain"});
  list.push_back({"v6", {}, {}, kServer6, "ipv6"});
  list.push_back({"v4_listener", {"--address", "0.0.0.0"}, {}, kServerMapped});
  list.push_back({"accept4", {"--method", "accept4"}});
  list.push_back({"many", {}, {}, kServer4, "ipv4", 50, {}, 0, 5});
  list.push_back({"late", {"--accept-after-ms", "300"}, {}, kServer4, "ipv4", 1, {}, 0.28, 0.6});
  list.push_back({"prefork", {"--workers", "3"}, {}, kServer4, "ipv4", 20, {}, 0, 2});
  list.push_back({"inherited", {}, {}, kServer4, "ipv4", 2, "--exec"});
  list.push_back({"activated", {}, {}, kServer4, "ipv4", 2, "--activate"});
  list.push_back({"activated_prefork", {"--workers", "2"}, {}, kServer4, "ipv4", 10, "--activate", 0, 2});
  list.push_back({"tfo", {"--tfo"}, {"--tfo"}, kServer4, "ipv4", 3, {}, 0, 0.25, 5});
  list.push_back({"mptcp", {"--mptcp"}, {"--mptcp"}});
  list.push_back({"mptcp_v6", {"--mptcp"}, {"--mptcp"}, kServer6, "ipv6"});
  list.push_back({"mptcp_plain", {"--mptcp"}, {}});
  return list;
}

class TcpAcceptTest : public WorldTest<AcceptScenario> {
 protected:
  static void SetUpTestSuite() { begin(allow_fast_open, kManyPrefixes); }

  static AcceptCounts accepts_of(const Actor& actor) { return AcceptCounts::of(must(agent_->scrape()), actor.name()); }
  static LifeCounts served_by(const Actor& actor) {
    return LifeCounts::of(must(agent_->scrape()), actor.name(), "server");
  }
  static Listener serve(const Actor& actor, const Words& arguments) {
    return must(Listener::serve(actor, arguments, world_->server().fd()));
  }
  static ChildProcess talk(const Actor& actor, const std::string& port, const Words& arguments) {
    Words words = {"talk", kServer4, port};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return must(actor.start(words, world_->client().fd()));
  }
  /// What is shown once so many connections of that server have been closed.
  static Exposition when_closed(const Actor& server, double closes) {
    Exposition shown;
    EXPECT_TRUE(eventually(kLimit, [&] {
      shown = must(agent_->scrape());
      return LifeCounts::of(shown, server.name(), "server").all_closes() >= closes;
    }));
    return shown;
  }
};

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void end_well(ChildProcess& child) {
  child.close_input();
  EXPECT_TRUE(ended_well(must(child.wait(kLimit)))) << child.standard_error();
}

/// How often that word is among what it has printed.
int times_said(const ChildProcess& child, const std::string& word) {
  const Words words = words_of(parse_said(child.standard_output()));
  return static_cast<int>(std::count(words.begin(), words.end(), word));
}

/// What the kernel has dropped of the SYNs to that listener: "… skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d7)".
double dropped_by_kernel(const NetNamespace& where, const std::string& port) {
  SpawnOptions options;
  options.argv = {"ss", "--no-header", "--tcp", "--listening", "--numeric", "--memory", "sport = :" + port};
  options.network_namespace = where.fd();
  const std::string listed = must(run_program(options));
  const std::size_t at = listed.rfind(",d");
  if (at == std::string::npos) throw std::runtime_error("ss shows no drops: " + listed);
  return std::strtod(listed.c_str() + at + 2, nullptr);
}

/// Accepts whose moment no program saw: by io_uring where only system calls are seen, or where the kernel skipped it.
double unseen_accepts(const Exposition& shown) {
  return shown.sum("connscope_lost_events_total", {{"cause", "accept_unseen"}});
}

void expect_accepts(const Exposition& shown, const Actor& server, const AcceptScenario& scenario, int runs,
                    double unseen_before) {
  const AcceptCounts counts = AcceptCounts::of(shown, server.name());
  const double total = runs * scenario.count;
  EXPECT_EQ(counts.accepts, (Counts{{scenario.ip_family, total}}));
  EXPECT_EQ(counts.handshakes, (Counts{{scenario.ip_family, total}}));
  EXPECT_GT(counts.handshake_seconds, 0);
  EXPECT_LE(counts.handshake_seconds, total * 0.25);
  // Those that were not seen may be the agent's own, which accepts scrapes.
  EXPECT_LE(counts.waits, total);
  EXPECT_GE(counts.waits, total - (unseen_accepts(shown) - unseen_before));
  EXPECT_GE(counts.wait_seconds, runs * scenario.min_wait);
  EXPECT_LE(counts.wait_seconds, runs * scenario.max_wait);
  EXPECT_EQ(counts.drops, Counts{});
  EXPECT_EQ(counts.failures, Counts{});
  const LifeCounts life = LifeCounts::of(shown, server.name(), "server");
  EXPECT_EQ(life.all_closes(), total);
  EXPECT_EQ(life.open, 0);
  EXPECT_EQ(life.received, total * (10 + scenario.early_bytes));
  expect_laws(shown, server.name());
}

TEST_P(TcpAcceptTest, EachConnectionIsCountedForWhoAcceptedIt) {
  const AcceptScenario& scenario = GetParam();
  const Actor server = must(Actor::create(scenario.name + "_s"));
  const Actor launcher = must(Actor::create(scenario.name + "_l"));
  const Actor client = must(Actor::create(scenario.name + "_c"));
  const double unseen_before = unseen_accepts(must(agent_->scrape()));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Words arguments = Words{"0", "--do", "eof,close"} + scenario.serve;
    const Listener listener = scenario.launched_by.empty()
                                  ? serve(server, arguments)
                                  : serve(launcher, arguments + Words{scenario.launched_by, server.path()});
    const Words words = {"talk", scenario.address, listener.port, "--count", std::to_string(scenario.count),
                         "--do", "send:10,close"};
    ChildProcess talker = must(client.start(words + scenario.talk, world_->client().fd()));
    end_well(talker);
    expect_accepts(when_closed(server, run * scenario.count), server, scenario, run, unseen_before);
  }
  const Exposition shown = must(agent_->scrape());
  expect_accepts(shown, server, scenario, 2, unseen_before);
  const AcceptCounts launched = AcceptCounts::of(shown, launcher.name());
  EXPECT_EQ(launched.all_accepts() + launched.all_handshakes() + launched.waits, 0);
  EXPECT_EQ(LifeCounts::of(shown, launcher.name(), "server").all_closes(), 0);
}

INSTANTIATE_TEST_SUITE_P(Servers, TcpAcceptTest, ::testing::ValuesIn(accept_scenarios()),
                         [](const auto& server) { return server.param.name; });

/// The probe sees no system call: it counts such accepts when the connection shows up in another way.
TEST_F(TcpAcceptTest, AcceptsByIoUringAreCountedAndTheirWaitsAreLostOrKnown) {
  const Actor server = must(Actor::create("uring_s"));
  const Actor client = must(Actor::create("uring_c"));
  const double unseen_before = unseen_accepts(must(agent_->scrape()));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Listener listener = serve(server, {"0", "--method", "io-uring", "--do", "eof,close"});
    ChildProcess talker = talk(client, listener.port, {"--count", "3", "--do", "send:10,close"});
    end_well(talker);
    const Exposition shown = when_closed(server, run * 3);
    const AcceptCounts counts = AcceptCounts::of(shown, server.name());
    EXPECT_EQ(counts.accepts, (Counts{{"ipv4", run * 3}}));
    EXPECT_EQ(counts.handshakes, (Counts{{"ipv4", run * 3}}));
    EXPECT_EQ(counts.waits + unseen_accepts(shown) - unseen_before, run * 3);
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").closes, (Counts{{"remote_fin", run * 3}}));
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").received, run * 30);
    expect_laws(shown, server.name());
  }
}

TEST_F(TcpAcceptTest, ServersThatShareAPortAreCountedApart) {
  const Actor one = must(Actor::create("reuseport_a"));
  const Actor two = must(Actor::create("reuseport_b"));
  const Actor client = must(Actor::create("reuseport_c"));
  double accepted_one = 0;
  double accepted_two = 0;
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Listener first = serve(one, {"0", "--reuseport", "--do", "eof,close"});
    const Listener second = serve(two, {first.port, "--reuseport", "--do", "eof,close"});
    ChildProcess talker = talk(client, first.port, {"--count", "40", "--do", "send:10,close"});
    end_well(talker);
    ASSERT_TRUE(eventually(
        kLimit, [&] { return times_said(first.process, "accepted") + times_said(second.process, "accepted") == 40; }));
    accepted_one += times_said(first.process, "accepted");
    accepted_two += times_said(second.process, "accepted");
    when_closed(one, accepted_one);
    when_closed(two, accepted_two);
    EXPECT_EQ(accepts_of(one).all_accepts(), accepted_one);
    EXPECT_EQ(accepts_of(two).all_accepts(), accepted_two);
    EXPECT_EQ(served_by(one).received, accepted_one * 10);
    EXPECT_EQ(served_by(two).received, accepted_two * 10);
  }
  EXPECT_GT(accepted_one * accepted_two, 0) << "the kernel gave all to one of them: the test says nothing";
}

TEST_F(TcpAcceptTest, AnAcceptOfWhatThePeerHasEndedIsAnAccept) {
  const Actor server = must(Actor::create("ended_s"));
  const Actor client = must(Actor::create("ended_c"));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Listener listener = serve(server, {"0", "--wait-line", "--count", "1", "--do", "eof,close"});
    ChildProcess talker = talk(client, listener.port, {"--do", "send:10,acked,close"});
    end_well(talker);
    EXPECT_EQ(accepts_of(server).all_accepts(), run - 1);
    EXPECT_EQ(accepts_of(server).backlog, 1);
    must(listener.process.write_input("go\n"));
    end_well(listener.process);
    const Exposition shown = when_closed(server, run);
    const AcceptCounts counts = AcceptCounts::of(shown, server.name());
    EXPECT_EQ(counts.all_accepts(), run);
    EXPECT_EQ(counts.all_handshakes(), run);
    EXPECT_EQ(counts.waits, run);
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").closes, (Counts{{"remote_fin", run}}));
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").received, run * 10);
    expect_laws(shown, server.name());
  }
}

TEST_F(TcpAcceptTest, AnAcceptOfWhatThePeerHasResetIsAnAccept) {
  const Actor server = must(Actor::create("reset_s"));
  const Actor client = must(Actor::create("reset_c"));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Listener listener = serve(server, {"0", "--wait-line", "--count", "1", "--do", "error,close"});
    ChildProcess talker = talk(client, listener.port, {"--do", "send:10,acked,reset"});
    end_well(talker);
    // It is dead, but still waits: whose it is will only be known when it is accepted.
    const Exposition dead = must(agent_->scrape());
    EXPECT_EQ(AcceptCounts::of(dead, server.name()).all_accepts(), run - 1);
    EXPECT_EQ(AcceptCounts::of(dead, server.name()).backlog, 1);
    expect_laws(dead, server.name());
    must(listener.process.write_input("go\n"));
    end_well(listener.process);
    EXPECT_EQ(times_said(listener.process, "ECONNRESET"), 1);
    const Exposition shown = when_closed(server, run);
    const AcceptCounts counts = AcceptCounts::of(shown, server.name());
    EXPECT_EQ(counts.all_accepts(), run);
    EXPECT_EQ(counts.all_handshakes(), run);
    EXPECT_EQ(counts.waits, run);
    const LifeCounts life = LifeCounts::of(shown, server.name(), "server");
    EXPECT_EQ(life.closes, (Counts{{"remote_reset", run}}));
    EXPECT_EQ(life.failures, (Counts{{"reset_established", run}}));
    EXPECT_EQ(life.resets, (Counts{{"in", run}}));
    EXPECT_EQ(life.open, 0);
    expect_laws(shown, server.name());
  }
}

TEST_F(TcpAcceptTest, WhatNobodyAcceptsIsTheListeners) {
  const Actor server = must(Actor::create("never_s"));
  const Actor client = must(Actor::create("never_c"));
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    Listener listener = serve(server, {"0", "--never", "--backlog", "10"});
    ChildProcess talker =
        talk(client, listener.port, {"--count", "3", "--together", "--do", "send:10,acked,say:ready,error"});
    ASSERT_TRUE(talker.await_output("ready", kLimit));
    const Exposition waiting = must(agent_->scrape());
    const AcceptCounts during = AcceptCounts::of(waiting, server.name());
    EXPECT_EQ(during.backlog, 3);
    EXPECT_EQ(during.backlog_limit, 10);
    EXPECT_EQ(during.all_handshakes(), (run - 1) * 3) << "those that wait are not counted yet";
    EXPECT_EQ(LifeCounts::of(waiting, server.name(), "server").open, 0);
    expect_laws(waiting, server.name());

    must(listener.process.write_input("go\n"));
    end_well(listener.process);
    end_well(talker);
    EXPECT_EQ(times_said(talker, "ECONNRESET"), 3);
    const Exposition shown = when_closed(server, run * 3);
    const AcceptCounts counts = AcceptCounts::of(shown, server.name());
    EXPECT_EQ(counts.accepts, Counts{});
    EXPECT_EQ(counts.all_handshakes(), run * 3);
    EXPECT_EQ(counts.waits, 0);
    EXPECT_EQ(counts.backlog, 0);
    EXPECT_EQ(counts.backlog_limit, 0);
    EXPECT_EQ(LifeCounts::of(shown, server.name(), "server").closes, (Counts{{"local_reset", run * 3}}));
    EXPECT_EQ(LifeCounts::of(shown, client.name(), "client").failures, (Counts{{"reset_established", run * 3}}));
    expect_laws(shown, server.name());
    expect_laws(shown, client.name());
  }
}

TEST_F(TcpAcceptTest, AFullAcceptQueueDropsAsTheKernelSays) {
  const Actor server = must(Actor::create("overflow_s"));
  const Actor client = must(Actor::create("overflow_c"));
  const Actor late = must(Actor::create("overflow_late"));
  double dropped_before = 0;
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Listener listener = serve(server, {"0", "--never", "--backlog", "1"});
    // A queue for one takes two.
    ChildProcess talker = talk(client, listener.port, {"--count", "2", "--together", "--do", "say:ready,end"});
    ASSERT_TRUE(talker.await_output("ready", kLimit));
    EXPECT_EQ(accepts_of(server).backlog, 2);
    EXPECT_EQ(accepts_of(server).backlog_limit, 1);
    EXPECT_EQ(accepts_of(server).drops,
              dropped_before == 0 ? Counts{} : (Counts{{"accept_queue_full", dropped_before}}));

    // Given up before a SYN is sent again.
    const Words hopeless = {"connect", kServer4, listener.port,    "--threads", "5",
                            "--end",   "close",  "--end-after-ms", "300"};
    EXPECT_EQ(words_of(must(late.run(hopeless, world_->client().fd()))), Words(5, "closed"));
    const double dropped = dropped_by_kernel(world_->server(), listener.port);
    EXPECT_EQ(dropped, 5);
    const AcceptCounts counts = accepts_of(server);
    EXPECT_EQ(counts.drops, (Counts{{"accept_queue_full", dropped_before + dropped}}));
    EXPECT_EQ(counts.failures, (Counts{{"accept_queue_full", dropped_before + dropped}}));
    EXPECT_EQ(accepts_of(server).drops, counts.drops) << "a second look finds no more";
    dropped_before += dropped;
  }
  EXPECT_EQ(accepts_of(server).drops, (Counts{{"accept_queue_full", dropped_before}})) << "the listener is gone";
}

TEST_F(TcpAcceptTest, AFullSynQueueDropsAsTheKernelSays) {
  must(world_->server().set_sysctl("net/ipv4/tcp_syncookies", "0"));
  must(world_->server().set_sysctl("net/ipv4/tcp_max_syn_backlog", "4"));
  const Actor server = must(Actor::create("synqueue_s"));
  const Actor late = must(Actor::create("synqueue_late"));
  double dropped_before = 0;
  for (int run = 1; run <= 2; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    const Listener listener = serve(server, {"0", "--never", "--backlog", "4"});
    // The answers do not arrive: handshakes stay half done.
    must(world_->client().nft(
        "table inet unanswered {\n chain input {\n type filter hook input priority 0\n tcp sport " + listener.port +
        " drop\n }\n}\n"));
    const Words hopeless = {"connect", kServer4, listener.port,    "--threads", "10",
                            "--end",   "close",  "--end-after-ms", "300"};
    EXPECT_EQ(words_of(must(late.run(hopeless, world_->client().fd()))), Words(10, "closed"));
    must(world_->client().nft("delete table inet unanswered\n"));
    const double dropped = dropped_by_kernel(world_->server(), listener.port);
    EXPECT_GT(dropped, 0);
    const AcceptCounts counts = accepts_of(server);
    EXPECT_EQ(counts.drops, (Counts{{"syn_queue_full", dropped_before + dropped}}));
    EXPECT_EQ(counts.failures, (Counts{{"syn_queue_full", dropped_before + dropped}}));
    EXPECT_EQ(counts.backlog, 0);
    dropped_before += dropped;
  }
  must(world_->server().set_sysctl("net/ipv4/tcp_syncookies", "1"));
  must(world_->server().set_sysctl("net/ipv4/tcp_max_syn_backlog", "1024"));
}

/// Agents of their own, that see nothing but the server.
class ListenerLabelTest : public TcpAcceptTest {
 protected:
  static AgentProcess start_agent(const Actor& server, const std::string& settings) {
    return must(AgentProcess::start({CONNSCOPE_AGENT}, "[[process]]\nprefix = \"own\"\nexe = \"" + server.path() +
                                                           "\"\n[[process]]\nexe = \"*\"\ncapture = false\n" +
                                                           kWithoutTls + "[probe.tcp]\n" + settings));
  }

  /// Connects once to the first, twice to the second, and so on.
  static void connect_to(const std::vector<Listener>& listeners) {
    const Actor client = must(Actor::create("labels_c"));
    int count = 0;
    for (const Listener& listener : listeners) {
      ChildProcess talker = talk(client, listener.port, {"--count", std::to_string(++count), "--do", "send:10,close"});
      end_well(talker);
    }
  }

  static std::vector<Listener> serve_thrice(const Actor& server) {
    std::vector<Listener> listeners;
    for (int i = 0; i < 3; ++i) listeners.push_back(serve(server, {"0", "--do", "eof,close"}));
    return listeners;
  }

  static Exposition when_accepted(const AgentProcess& agent, double accepts) {
    Exposition shown;
    EXPECT_TRUE(eventually(kLimit, [&] {
      shown = must(agent.scrape());
      return LifeCounts::of(shown, "own", "server").all_closes() == accepts;
    }));
    return shown;
  }

  /// The values of a label, of one family of the server.
  static std::map<std::string, double> by_value(const Exposition& shown, const std::string& name,
                                                const std::string& label) {
    std::map<std::string, double> sums;
    for (const ExposedSample& sample : shown.samples()) {
      const auto found = sample.labels.find(label);
      if (sample.name == name && sample.labels.at("process") == "own") {
        sums[found == sample.labels.end() ? "" : found->second] += sample.value;
      }
    }
    return sums;
  }
};

constexpr char kWaits[] = "conn_tcp_accept_wait_seconds_count";
constexpr char kBytes[] = "conn_tcp_receive_bytes_total";

TEST_F(ListenerLabelTest, EachListenerIsCountedUnderItsAddress) {
  const Actor server = must(Actor::create("labels_on"));
  const AgentProcess agent = start_agent(server, "listener_labels = 100\n");
  const std::vector<Listener> listeners = serve_thrice(server);
  connect_to(listeners);
  const Exposition shown = when_accepted(agent, 6);
  double connections = 0;
  for (const Listener& listener : listeners) {
    SCOPED_TRACE(listener.port);
    ++connections;
    const auto waits = by_value(shown, kWaits, "listener");
    const auto label = std::find_if(waits.begin(), waits.end(), [&](const auto& one) {
      const std::size_t at = one.first.rfind(':');
      return at != std::string::npos && one.first.substr(at + 1) == listener.port;
    });
    ASSERT_NE(label, waits.end());
    EXPECT_EQ(label->second, connections);
    EXPECT_EQ(shown.sum(kBytes, {{"process", "own"}, {"role", "server"}, {"listener", label->first}}),
              connections * 10);
    EXPECT_GT(shown.sum("conn_tcp_listen_backlog_limit", {{"process", "own"}, {"listener", label->first}}), 0);
    EXPECT_EQ(shown.count("conn_tcp_listen_backlog", {{"process", "own"}, {"listener", label->first}}), 1U);
  }
  EXPECT_EQ(by_value(shown, kWaits, "listener").count("other"), 0U);
}

/// One of the places may go to a process that no rule could exclude, as nobody may see its program.
TEST_F(ListenerLabelTest, PastTheLimitTheyAreOtherAndNothingIsLost) {
  const Actor server = must(Actor::create("labels_limit"));
  const AgentProcess agent = start_agent(server, "listener_labels = 2\n");
  const std::vector<Listener> listeners = serve_thrice(server);
  connect_to(listeners);
  const Exposition shown = when_accepted(agent, 6);
  std::set<std::string> named = shown.values_of("listener");
  EXPECT_EQ(named.erase("other"), 1U);
  named.erase("");
  EXPECT_EQ(named.size(), 2U);
  double sum = 0;
  for (const auto& [value, count] : by_value(shown, kWaits, "listener")) sum += count;
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(shown.sum(kBytes, {{"process", "own"}, {"role", "server"}}), 60);
}

TEST_F(ListenerLabelTest, WithoutTheSwitchesTheLabelsAreNotThere) {
  const Exposition shown = must(agent_->scrape());
  EXPECT_EQ(shown.values_of("listener"), std::set<std::string>{});
  EXPECT_EQ(shown.values_of("netns"), std::set<std::string>{});
}

TEST_F(ListenerLabelTest, TheNamespaceIsToldByItsInode) {
  const Actor server = must(Actor::create("netns_on"));
  const AgentProcess agent = start_agent(server, "netns_labels = 100\n");
  struct stat seen {};
  ASSERT_EQ(::fstat(world_->server().fd(), &seen), 0);
  const std::string inode = std::to_string(seen.st_ino);
  const std::vector<Listener> listeners = serve_thrice(server);
  connect_to(listeners);
  const Exposition shown = when_accepted(agent, 6);
  EXPECT_EQ(by_value(shown, kWaits, "netns"), (std::map<std::string, double>{{inode, 6}}));
}

/// As with listeners: one of the places may go to a namespace that no rule could exclude.
TEST_F(ListenerLabelTest, NamespacesPastTheLimitAreOtherAndNothingIsLost) {
  const Actor server = must(Actor::create("netns_limit"));
  const Actor client = must(Actor::create("netns_limit_c"));
  const AgentProcess agent = start_agent(server, "netns_labels = 2\n");
  for (int i = 0; i < 4; ++i) {
    const NetNamespace apart = must(NetNamespace::create());
    const Listener listener = must(Listener::serve(server, {"0", "--do", "eof,close"}, apart.fd()));
    ChildProcess talker =
        must(client.start({"talk", "127.0.0.1", listener.port, "--count", "5", "--do", "send:10,close"}, apart.fd()));
    end_well(talker);
    when_accepted(agent, (i + 1) * 5);
  }
  const Exposition shown = must(agent.scrape());
  std::set<std::string> named = shown.values_of("netns");
  EXPECT_EQ(named.erase("other"), 1U);
  EXPECT_EQ(named.size(), 2U);
  double sum = 0;
  for (const auto& [value, count] : by_value(shown, kWaits, "netns")) sum += count;
  EXPECT_EQ(sum, 20);
}

}  // namespace
}  // namespace connscope::testing
