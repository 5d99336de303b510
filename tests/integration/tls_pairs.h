// SPDX-License-Identifier: Apache-2.0
//
// Pairs of TLS programs that shake hands while an agent looks on, each pair under process names of its own, and what
// the agent has to say of both sides. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/lab.h"
#include "tests/integration/tls_outcomes.h"
#include "tests/integration/world.h"

namespace connscope::testing {

/// A command line.
using Words = std::vector<std::string>;
Words operator+(Words first, const Words& more);

/// How often each pair shakes hands.
inline constexpr int kPairRuns = 2;

struct TlsPair {
  std::string name;
  /// Arguments; the server's first line is "port N", and the client is given N in the place of each "PORT".
  Words server;
  Words client;
  /// "ok", a reason, "ok+REASON" where a refusal comes after success, or "nothing"; see TlsOutcome::word. Empty: what
  /// that side is told of is another test's concern.
  std::string server_word;
  std::string client_word;
};

struct TlsPairPrograms {
  std::string server;
  std::string client;
};

/// Waits for the first line of a server, which tells where it listens.
std::string port_of(ChildProcess& server);

/// Lets the two meet, and waits for their ends.
void run_pair(const Actor& server, const Actor& client, const TlsPair& pair);

class TlsPairs {
 public:
  /// The processes' names begin with `name`.
  TlsPairs(const std::string& name, const TlsPairPrograms& programs, std::vector<TlsPair> pairs);

  /// Lets all of them meet, each kPairRuns times, and waits until the agent has told all that it has to.
  void meet(const AgentProcess& agent);
  /// What the agent told otherwise than it should have, a line each.
  [[nodiscard]] std::vector<std::string> differences() const;

 private:
  /// Lets each pair of that lane meet, one after the other. Any thread.
  void run_lane(std::size_t lane) const;
  [[nodiscard]] std::string word(const Actor& actor) const;

  std::vector<TlsPair> pairs_;
  std::vector<Actor> servers_;
  std::vector<Actor> clients_;
  TlsOutcomes outcomes_;
};

/// Fails the running test with each of them.
void expect_no_differences(const TlsPairs& pairs);

/// How often the kernel ran programs of that probe meanwhile.
double runs_during(const AgentProcess& agent, const std::string& probe, const std::function<void()>& what);

/// The same while a pair meets once, both sides played by that program.
double runs_of_pair(const AgentProcess& agent, const std::string& probe, const std::string& program,
                    const TlsPair& pair);

/// Waits until programs of that probe hang in a library.
void await_library(const AgentProcess& agent, const std::string& probe);

}  // namespace connscope::testing
