// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/scenario.h"

#include <cerrno>
#include <csignal>

#include "tests/support/cgroup.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

using Words = std::vector<std::string>;

constexpr char kServer4[] = "10.77.0.2";
constexpr char kServer6[] = "fd77::2";
constexpr char kServerMapped[] = "::ffff:10.77.0.2";

/// tcp_actor with `arguments` in the client namespace.
Scenario::Run acts(Words arguments) {
  return [arguments = std::move(arguments)](const World& world, const Actor& actor) {
    return actor.run(arguments, world.client().fd());
  };
}

Scenario::Run connects(const std::string& address, const std::string& port, const Words& flags = {}) {
  Words arguments = {"connect", address, port};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return acts(arguments);
}

Scenario succeeds(const std::string& name, Scenario::Run run, const std::string& ip_family = "ipv4") {
  return {name, std::move(run), {"ok"}, ip_family, 1};
}

Scenario fails(const std::string& name, Scenario::Run run, const std::string& says, const std::string& reason,
               const std::string& ip_family = "ipv4") {
  return {name, std::move(run), {says}, ip_family, 0, {{reason, 1}}};
}

Scenario lasting(double min_seconds, double max_seconds, Scenario scenario) {
  scenario.min_seconds = min_seconds;
  scenario.max_seconds = max_seconds;
  return scenario;
}

/// A kernel that sends two SYNs gives up after 1 + 2 seconds.
Scenario times_out(const std::string& name, Scenario::Run run, const std::string& ip_family = "ipv4") {
  return lasting(2.5, 4.5, fails(name, std::move(run), "ETIMEDOUT", "timeout", ip_family));
}

/// An ICMP error that comes back while connect() still holds its socket is only taken at the next SYN, a second later.
Scenario answered_by_icmp(const std::string& name, Scenario::Run run, const std::string& says,
                          const std::string& reason, const std::string& ip_family = "ipv4") {
  return lasting(0, 2.5, fails(name, std::move(run), says, reason, ip_family));
}

Result<std::vector<Said>> run_killed(const World& world, const Actor& actor) {
  auto child = actor.start({"connect", kServer4, kDroppedPort}, world.client().fd());
  if (!child) return child.error();
  const bool connecting =
      eventually(std::chrono::seconds(5), [&] { return is_connecting(child->pid(), kDroppedPort); });
  if (!connecting) return Error("the actor did not come to SYN_SENT");
  if (Status killed = child->send_signal(SIGKILL); !killed) return killed.error();
  if (const auto ended = child->wait(std::chrono::seconds(5)); !ended) return ended.error();
  return parse_said(child->standard_output());
}

/// Two ports, both taken by the first two connections to the same peer.
Result<std::vector<Said>> run_out_of_ports(const World& world, const Actor& actor) {
  static constexpr char kKey[] = "net/ipv4/ip_local_port_range";
  const auto before = world.client().read_sysctl(kKey);
  if (!before) return before.error();
  if (Status narrowed = world.client().set_sysctl(kKey, "45000 45001"); !narrowed) return narrowed.error();
  auto said = actor.run({"connect", kServer4, kOpenPort, "--count", "3", "--hold"}, world.client().fd());
  if (Status restored = world.client().set_sysctl(kKey, *before); !restored) return restored.error();
  return said;
}

Result<std::vector<Said>> run_with_reset_peer(const World& world, const Actor& actor) {
  auto peer = world.peer().start({"reset-peer", kResetPeerPort}, world.server().fd());
  if (!peer) return peer.error();
  if (!peer->await_output("watching", std::chrono::seconds(5))) return Error("no peer: " + peer->standard_error());
  return actor.run({"connect", kServer4, kResetPeerPort}, world.client().fd());
}

Result<std::vector<Said>> run_denied_by_cgroup(const World& world, const Actor& actor) {
  const auto cgroup = TestCgroup::create(own_name("connscope-test-deny"));
  if (!cgroup) return cgroup.error();
  const auto policy = ConnectPolicy::deny(*cgroup);
  if (!policy) return policy.error();
  return actor.run({"connect", kServer4, kOpenPort}, world.client().fd(), cgroup->path());
}

/// No kernel path found makes connect() itself say EADDRINUSE; a policy program may.
Result<std::vector<Said>> run_told_address_in_use(const World& world, const Actor& actor) {
  const auto cgroup = TestCgroup::create(own_name("connscope-test-in-use"));
  if (!cgroup) return cgroup.error();
  const auto policy = ConnectPolicy::fail_with(*cgroup, EADDRINUSE);
  if (!policy) return policy.error();
  return actor.run({"connect", kServer4, kOpenPort}, world.client().fd(), cgroup->path());
}

void add_successes(std::vector<Scenario>& list) {
  const Words nonblocking = {"--method", "nonblocking"};
  list.push_back(succeeds("ok_v4", connects(kServer4, kOpenPort)));
  list.push_back(succeeds("ok_v6", connects(kServer6, kOpenPort), "ipv6"));
  list.push_back(succeeds("ok_v4mapped", connects(kServerMapped, kOpenPort)));
  list.push_back(succeeds("ok_nonblock", connects(kServer4, kOpenPort, nonblocking)));
  list.push_back(succeeds("ok_nonblock_v6", connects(kServer6, kOpenPort, nonblocking), "ipv6"));
  list.push_back(succeeds("ok_io_uring", connects(kServer4, kOpenPort, {"--method", "io-uring"})));
  list.push_back(succeeds("ok_mptcp", connects(kServer4, kMptcpPort, {"--mptcp"})));
  list.push_back(succeeds("ok_mptcp_v6", connects(kServer6, kMptcpPort, {"--mptcp"}), "ipv6"));
  // The peer speaks plain TCP: the same attempt goes on without MPTCP.
  list.push_back(succeeds("ok_mptcp_plain", connects(kServer4, kOpenPort, {"--mptcp"})));
  // Both ends are one socket: SYN_SENT, SYN_RECV, ESTABLISHED.
  list.push_back(succeeds("ok_self", connects("127.0.0.1", "7200", {"--bind-port", "7200"})));
  // Of the three attempts the first fetches the cookie, and the others carry data in their SYN.
  list.push_back({"ok_tfo_send",
                  connects(kServer4, kFastOpenPort, {"--method", "tfo-send", "--count", "3"}),
                  {"ok", "ok", "ok"},
                  "ipv4",
                  3});
  list.push_back({"ok_tfo_connect",
                  connects(kServer4, kFastOpenPort, {"--method", "tfo-connect", "--count", "3"}),
                  {"ok", "ok", "ok"},
                  "ipv4",
                  3});
}

void add_refusals(std::vector<Scenario>& list) {
  const Words nonblocking = {"--method", "nonblocking"};
  const auto refused = [](const std::string& name, Scenario::Run run, const std::string& ip_family = "ipv4") {
    return fails(name, std::move(run), "ECONNREFUSED", "refused", ip_family);
  };
  list.push_back(refused("refused_v4", connects(kServer4, kClosedPort)));
  list.push_back(refused("refused_v6", connects(kServer6, kClosedPort), "ipv6"));
  list.push_back(refused("refused_mapped", connects(kServerMapped, kClosedPort)));
  list.push_back(refused("refused_lo", connects("127.0.0.1", kClosedPort)));
  list.push_back(refused("refused_nb", connects(kServer4, kClosedPort, nonblocking)));
  list.push_back(refused("refused_uring", connects(kServer4, kClosedPort, {"--method", "io-uring"})));
  list.push_back(refused("refused_mptcp", connects(kServer4, kClosedPort, {"--mptcp"})));
  list.push_back(refused("refused_tfo", connects(kServer4, kClosedPort, {"--method", "tfo-send"})));
  list.push_back(refused("refused_local", connects(kServer4, kLocallyResetPort)));
  list.push_back(answered_by_icmp("refused_icmp", connects(kServer4, kPortUnreachablePort), "ECONNREFUSED", "refused"));
  list.push_back(
      answered_by_icmp("refused_icmp6", connects(kServer6, kPortUnreachablePort), "ECONNREFUSED", "refused", "ipv6"));
}

void add_unreachables(std::vector<Scenario>& list) {
  list.push_back(
      answered_by_icmp("host_icmp", connects(kServer4, kHostUnreachablePort), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(answered_by_icmp("host_icmp_nb", connects(kServer4, kHostUnreachablePort, {"--method", "nonblocking"}),
                                  "EHOSTUNREACH", "host_unreachable"));
  list.push_back(
      answered_by_icmp("host_prohibit", connects(kServer4, kProhibitedPort), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(
      answered_by_icmp("host_local", connects(kServer4, kLocallyProhibitedPort), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(answered_by_icmp("host_arp", connects("10.77.0.99", "80"), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(answered_by_icmp("host_nd", connects("fd77::99", "80"), "EHOSTUNREACH", "host_unreachable", "ipv6"));
  list.push_back(fails("host_route", connects("10.88.1.1", "80"), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(fails("host_route6", connects("fd88:1::1", "80"), "EHOSTUNREACH", "host_unreachable", "ipv6"));
  list.push_back(fails("net_v4", connects("198.51.100.1", "80"), "ENETUNREACH", "net_unreachable"));
  list.push_back(fails("net_v6", connects("2001:db8::1", "80"), "ENETUNREACH", "net_unreachable", "ipv6"));
  list.push_back(fails("net_mapped", connects("::ffff:198.51.100.1", "80"), "ENETUNREACH", "net_unreachable"));
  list.push_back(fails("net_nonblock", connects("198.51.100.1", "80", {"--method", "nonblocking"}), "ENETUNREACH",
                       "net_unreachable"));
  list.push_back(fails("net_mptcp", connects("198.51.100.1", "80", {"--mptcp"}), "ENETUNREACH", "net_unreachable"));
}

void add_denials(std::vector<Scenario>& list) {
  list.push_back(fails("denied_route", connects("10.88.2.1", "80"), "EACCES", "denied"));
  list.push_back(fails("denied_route6", connects("fd88:2::1", "80"), "EACCES", "denied", "ipv6"));
  list.push_back(answered_by_icmp("denied_icmp6", connects(kServer6, kProhibitedPort), "EACCES", "denied", "ipv6"));
  list.push_back(fails("denied_cgroup", run_denied_by_cgroup, "EPERM", "denied"));
  list.push_back(fails("in_use_policy", run_told_address_in_use, "EADDRINUSE", "addr_in_use"));
  list.push_back(fails("blackhole", connects("10.88.3.1", "80"), "EINVAL", "other_errno"));
  list.push_back(fails("blackhole6", connects("fd88:3::1", "80"), "EINVAL", "other_errno", "ipv6"));
  list.push_back({"no_ports", run_out_of_ports, {"ok", "ok", "EADDRNOTAVAIL"}, "ipv4", 2, {{"addr_unavailable", 1}}});
  // The second attempt wants the very pair of addresses that the first one has.
  list.push_back({"same_pair",
                  connects(kServer4, kOpenPort, {"--bind-port", "7201", "--count", "2", "--hold"}),
                  {"ok", "EADDRNOTAVAIL"},
                  "ipv4",
                  1,
                  {{"addr_unavailable", 1}}});
  list.push_back(fails("reset", run_with_reset_peer, "ECONNRESET", "reset"));
}

void add_timeouts(std::vector<Scenario>& list) {
  list.push_back(times_out("timeout_v4", connects(kServer4, kDroppedPort)));
  list.push_back(times_out("timeout_v6", connects(kServer6, kDroppedPort), "ipv6"));
  list.push_back(times_out("timeout_nb", connects(kServer4, kDroppedPort, {"--method", "nonblocking"})));
  list.push_back(times_out("timeout_mptcp", connects(kServer4, kDroppedPort, {"--mptcp"})));
  list.push_back(times_out("timeout_local", connects(kServer4, kLocallyDroppedPort)));
}

void add_abortions(std::vector<Scenario>& list) {
  const auto ended = [](const std::string& how) { return Words{"--end", how, "--end-after-ms", "100"}; };
  const auto aborted = [](const std::string& name, Scenario::Run run, const Words& says, double min_seconds) {
    return Scenario{name, std::move(run), says, "ipv4", 0, {{"aborted", 1}}, min_seconds, 2};
  };
  list.push_back(aborted("abort_close", connects(kServer4, kDroppedPort, ended("close")), {"closed"}, 0.09));
  list.push_back(aborted("abort_shutdown", connects(kServer4, kDroppedPort, ended("shutdown")), {"shutdown"}, 0.09));
  list.push_back(aborted("abort_unspec", connects(kServer4, kDroppedPort, ended("unspec")), {"unspec"}, 0.09));
  list.push_back(aborted("abort_killed", run_killed, {}, 0));
  list.push_back(
      aborted("abort_sndtimeo", connects(kServer4, kDroppedPort, {"--send-timeout-ms", "200"}), {"closed"}, 0.18));
  // Between the two attempts on one descriptor lies a shutdown.
  list.push_back({"abort_twice",
                  connects(kServer4, kDroppedPort, {"--end", "shutdown", "--end-after-ms", "100", "--retries", "1"}),
                  {"shutdown", "shutdown"},
                  "ipv4",
                  0,
                  {{"aborted", 2}},
                  0.18,
                  2});
  list.push_back(aborted("abort_mptcp",
                         connects(kServer4, kDroppedPort, {"--mptcp", "--end", "close", "--end-after-ms", "100"}),
                         {"closed"}, 0.09));
}

void add_repetitions(std::vector<Scenario>& list) {
  list.push_back({"retry_blocking",
                  connects(kServer4, kClosedPort, {"--retries", "2"}),
                  {"ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"},
                  "ipv4",
                  0,
                  {{"refused", 3}}});
  // The second call only ends the first attempt, whose error SO_ERROR has taken already.
  list.push_back({"retry_nonblock",
                  connects(kServer4, kClosedPort, {"--method", "nonblocking", "--retries", "2"}),
                  {"ECONNREFUSED", "ECONNABORTED", "ECONNREFUSED"},
                  "ipv4",
                  0,
                  {{"refused", 2}}});
  list.push_back({"retry_net",
                  connects("198.51.100.1", "80", {"--retries", "2"}),
                  {"ENETUNREACH", "ENETUNREACH", "ENETUNREACH"},
                  "ipv4",
                  0,
                  {{"net_unreachable", 3}}});
  const Words fetched = {"--method", "nonblocking", "--second-connect"};
  // The neighbour's failure comes while the program waits: the second call only fetches it.
  list.push_back(
      answered_by_icmp("fetched_icmp", connects("10.77.0.99", "80", fetched), "EHOSTUNREACH", "host_unreachable"));
  list.push_back(fails("fetched_rst", connects(kServer4, kClosedPort, fetched), "ECONNREFUSED", "refused"));
  list.push_back({"fetched_ok", connects(kServer4, kOpenPort, fetched), {"ok"}, "ipv4", 1});
  // The call is interrupted, the attempt goes on.
  list.push_back(lasting(2.5, 4.5,
                         {"interrupted",
                          connects(kServer4, kDroppedPort, {"--interrupt-after-ms", "100"}),
                          {"EINTR", "ETIMEDOUT"},
                          "ipv4",
                          0,
                          {{"timeout", 1}}}));
  // connect() on sockets that are connected, connecting, of another kind, or none.
  list.push_back({"misuse",
                  acts({"misuse", kServer4, kOpenPort, kDroppedPort}),
                  {"ok", "EISCONN", "EINPROGRESS", "EALREADY", "ENETUNREACH", "ENOENT", "EBADF", "ENOTSOCK"},
                  "ipv4",
                  1,
                  {{"aborted", 1}}});
}

}  // namespace

int Scenario::failed() const {
  int total = 0;
  for (const auto& [reason, count] : failures) total += count;
  return total;
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> list;
  add_successes(list);
  add_refusals(list);
  add_unreachables(list);
  add_denials(list);
  add_timeouts(list);
  add_abortions(list);
  add_repetitions(list);
  return list;
}

}  // namespace connscope::testing
