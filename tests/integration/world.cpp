// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/world.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "agent/base/file.h"
#include "agent/base/unique_fd.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kActorLimit(15);
constexpr std::chrono::seconds kReadyLimit(10);

// Drops and refusals by port, before any listener is asked.
constexpr char kServerRules[] = R"(table inet world {
  chain input {
    type filter hook input priority 0;
    tcp dport 7001 drop
    tcp dport 7002 reject with icmpx type port-unreachable
    tcp dport 7003 reject with icmpx type host-unreachable
    tcp dport 7004 reject with icmpx type admin-prohibited
    tcp dport 7007 drop
  }
}
)";

constexpr char kClientRules[] = R"(table inet world {
  chain output {
    type filter hook output priority 0;
    tcp dport 7011 drop
    tcp dport 7012 reject with tcp reset
    tcp dport 7013 reject with icmpx type admin-prohibited
  }
}
)";

constexpr char kClientRoutes[] =
    "route add unreachable 10.88.1.0/24\n"
    "route add prohibit 10.88.2.0/24\n"
    "route add blackhole 10.88.3.0/24\n"
    "route add unreachable fd88:1::/64\n"
    "route add prohibit fd88:2::/64\n"
    "route add blackhole fd88:3::/64\n";

/// Some kernels are built without it; the tests of it are left out there (tests/vm/lacking.tsv).
bool has_mptcp() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
  return static_cast<bool>(socket);
}

/// The kernel brings IPv6 up on a new device by and by.
bool answers_over_ipv6(const World& world) {
  const auto said = world.peer().run({"connect", "fd77::2", kOpenPort}, world.client().fd());
  return said && words_of(*said) == std::vector<std::string>{"ok"};
}

Result<Listener> start_listening(const Actor& actor, const std::string& command,
                                 const std::vector<std::string>& arguments, int network_namespace) {
  std::vector<std::string> words = {command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto child = actor.start(words, network_namespace);
  if (!child) return child.error();
  static constexpr std::string_view kReady = "listening ";
  if (!child->await_output(kReady, std::chrono::seconds(5))) {
    return Error("no listener: " + child->standard_error());
  }
  std::istringstream line(child->standard_output().substr(kReady.size()));
  std::string port;
  line >> port;
  return Listener{std::move(*child), port};
}

}  // namespace

std::vector<Said> parse_said(const std::string& output) {
  std::vector<Said> said;
  std::istringstream lines(output);
  std::string word;
  long long microseconds = 0;
  while (lines >> word >> microseconds) said.push_back({word, static_cast<double>(microseconds) / 1e6});
  return said;
}

std::vector<std::string> words_of(const std::vector<Said>& said) {
  std::vector<std::string> words;
  for (const Said& one : said) words.push_back(one.word);
  return words;
}

std::string own_name(const std::string& name) { return name + "_" + std::to_string(::getpid()); }

Result<Actor> Actor::create(const std::string& name, const std::string& program) {
  auto folder = TempDir::create();
  if (!folder) return folder.error();
  auto path = folder->copy_program(program, own_name(name));
  if (!path) return path.error();
  return Actor(std::move(*folder), own_name(name), std::move(*path));
}

Result<ChildProcess> Actor::start(const std::vector<std::string>& arguments, int network_namespace,
                                  const std::string& cgroup) const {
  SpawnOptions options;
  options.argv = {path_};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.network_namespace = network_namespace;
  options.cgroup = cgroup;
  return ChildProcess::spawn(options);
}

Result<std::vector<Said>> Actor::run(const std::vector<std::string>& arguments, int network_namespace,
                                     const std::string& cgroup) const {
  auto child = start(arguments, network_namespace, cgroup);
  if (!child) return child.error();
  child->close_input();
  const auto status = child->wait(kActorLimit);
  if (!status) return status.error().context(name_);
  if (*status != 0) return Error(name_ + " failed: " + child->standard_error());
  return parse_said(child->standard_output());
}

Result<Listener> Listener::start(const Actor& actor, const std::vector<std::string>& arguments, int network_namespace) {
  return start_listening(actor, "listen", arguments, network_namespace);
}

Result<Listener> Listener::serve(const Actor& actor, const std::vector<std::string>& arguments, int network_namespace) {
  return start_listening(actor, "serve", arguments, network_namespace);
}

Result<World> World::create() {
  auto pair = NamespacePair::create();
  if (!pair) return pair.error();
  auto peer = Actor::create("world_peer");
  if (!peer) return peer.error();
  World world(std::move(*pair), std::move(*peer));
  if (Status rules = world.server().nft(kServerRules); !rules) return rules.error();
  if (Status rules = world.client().nft(kClientRules); !rules) return rules.error();
  if (Status routes = world.client().ip(kClientRoutes); !routes) return routes.error();
  std::vector<std::vector<std::string>> listeners = {{kOpenPort}, {kFastOpenPort, "--tfo"}};
  if (has_mptcp()) listeners.push_back({kMptcpPort, "--mptcp"});
  for (const std::vector<std::string>& arguments : listeners) {
    auto listener = Listener::start(world.peer(), arguments, world.server().fd());
    if (!listener) return listener.error();
    world.listeners_.push_back(std::move(*listener));
  }
  if (!eventually(kReadyLimit, [&] { return answers_over_ipv6(world); })) return Error("IPv6 does not come up");
  return world;
}

bool is_connecting(pid_t pid, const std::string& port) {
  const auto table = read_file("/proc/" + std::to_string(pid) + "/net/tcp");
  if (!table) return false;
  std::istringstream lines(*table);
  for (std::string line; std::getline(lines, line);) {
    // "   0: 0100007F:1F90 0200000A:1B58 02 …": slot, local, remote, state in hexadecimal; 02 is SYN_SENT.
    std::istringstream words(line);
    std::string slot;
    std::string local;
    std::string remote;
    std::string state;
    words >> slot >> local >> remote >> state;
    const std::size_t colon = remote.find(':');
    if (colon == std::string::npos || state != "02") continue;
    if (std::strtol(remote.c_str() + colon + 1, nullptr, 16) == std::strtol(port.c_str(), nullptr, 10)) return true;
  }
  return false;
}

}  // namespace connscope::testing
