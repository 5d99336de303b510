// SPDX-License-Identifier: Apache-2.0
//
// Where the scenarios happen: a client and a server namespace with listeners, firewall rules and routes, so that each
// outcome of a connect is certain. And Actor: one copy of tcp_actor, or of another program, under a name of its own, so
// that the counts of that process label are exact whatever else the host does, and be it the same test once more. One
// thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "tests/support/netns.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace connscope::testing {

// Ports of the server, over IPv4 and IPv6 alike.
inline constexpr char kOpenPort[] = "7000";
inline constexpr char kDroppedPort[] = "7001";
inline constexpr char kPortUnreachablePort[] = "7002";
inline constexpr char kHostUnreachablePort[] = "7003";
inline constexpr char kProhibitedPort[] = "7004";
inline constexpr char kMptcpPort[] = "7005";
inline constexpr char kFastOpenPort[] = "7006";
inline constexpr char kResetPeerPort[] = "7007";
inline constexpr char kClosedPort[] = "7099";
// Ports that the client's own firewall treats.
inline constexpr char kLocallyDroppedPort[] = "7011";
inline constexpr char kLocallyResetPort[] = "7012";
inline constexpr char kLocallyProhibitedPort[] = "7013";

/// What one attempt said, as tcp_actor prints it.
struct Said {
  std::string word;
  double seconds = 0;
};

/// The lines of tcp_actor.
std::vector<Said> parse_said(const std::string& output);
std::vector<std::string> words_of(const std::vector<Said>& said);

/// `name` with the test's process id behind it: no other test has that one at the same time.
std::string own_name(const std::string& name);

class Actor {
 public:
  /// The file name of the copy is own_name(name), and so the agent calls the process that. `program` is what is copied.
  static Result<Actor> create(const std::string& name, const std::string& program = CONNSCOPE_TCP_ACTOR);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Starts it; -1 for the test's own namespace.
  Result<ChildProcess> start(const std::vector<std::string>& arguments, int network_namespace = -1,
                             const std::string& cgroup = {}) const;
  /// Runs it to its end, within fifteen seconds.
  Result<std::vector<Said>> run(const std::vector<std::string>& arguments, int network_namespace = -1,
                                const std::string& cgroup = {}) const;

 private:
  Actor(TempDir folder, std::string name, std::string path)
      : folder_(std::move(folder)), name_(std::move(name)), path_(std::move(path)) {}
  TempDir folder_;
  std::string name_;
  std::string path_;
};

/// A process that listens; ends with the object.
struct Listener {
  ChildProcess process;
  std::string port;

  /// One that accepts and closes. Port "0" takes a free one.
  static Result<Listener> start(const Actor& actor, const std::vector<std::string>& arguments,
                                int network_namespace = -1);
  /// One that does what `tcp_actor serve` is told.
  static Result<Listener> serve(const Actor& actor, const std::vector<std::string>& arguments,
                                int network_namespace = -1);
};

class World {
 public:
  static Result<World> create();

  [[nodiscard]] const NetNamespace& client() const { return pair_.client; }
  [[nodiscard]] const NetNamespace& server() const { return pair_.server; }
  /// The copy of tcp_actor whose processes are the other ends.
  [[nodiscard]] const Actor& peer() const { return peer_; }

 private:
  World(NamespacePair pair, Actor peer) : pair_(std::move(pair)), peer_(std::move(peer)) {}

  NamespacePair pair_;
  Actor peer_;
  std::vector<Listener> listeners_;
};

/// True when a connect to `port` of that process' namespace is in SYN_SENT, by /proc/PID/net/tcp.
bool is_connecting(pid_t pid, const std::string& port);

}  // namespace connscope::testing
