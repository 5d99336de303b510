// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a connection lives and ends, each as a scenario: what both ends do, what happens to the path
// between them, and what the agent must have counted for either of them. One list for the tests to go through.
// A scenario is told from one end's view; most are in the list twice, with that end as the client and as the server.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/integration/life_stage.h"

namespace connscope::testing {

/// For figures that depend on what the kernel does in the meantime.
inline constexpr double kAny = -1;

/// What one end must show after one run.
struct End {
  /// "any" where the kernel decides which end's FIN is the first.
  std::string close;
  /// Payload bytes.
  double sent = 0;
  double received = 0;
  /// The reason of the failure, if it is one.
  std::string failure = {};
  /// Words that the program printed.
  std::vector<std::string> said = {};
  double resets_in = 0;
  double resets_out = 0;
  /// Segments sent again: none, or at least so many.
  double retransmits = 0;
  /// The connection's least life; the longest is told by the clock.
  double min_seconds = 0;
};

struct LifeScenario {
  /// `self` is the end from whose view the scenario is told.
  using Play = std::function<void(Stage& stage, ChildProcess& self, ChildProcess& peer)>;

  /// Letters, digits and underscores.
  std::string name;
  Part self;
  Part peer;
  End self_end;
  End peer_end;
  /// What is done once both ends have the connection and wait for a line, until both programs have ended.
  Play play;
  std::string address = "10.77.0.2";
  std::string ip_family = "ipv4";
  bool self_is_client = true;

  [[nodiscard]] const Part& client() const { return self_is_client ? self : peer; }
  [[nodiscard]] const Part& server() const { return self_is_client ? peer : self; }
  [[nodiscard]] const End& client_end() const { return self_is_client ? self_end : peer_end; }
  [[nodiscard]] const End& server_end() const { return self_is_client ? peer_end : self_end; }
};

/// In steps, the path of another program than the two.
inline constexpr char kOtherProgram[] = "OTHER";

/// Those that are over at once.
std::vector<LifeScenario> life_scenarios();
/// Those that take seconds, in which the others of them can be played.
std::vector<LifeScenario> timeout_scenarios();

}  // namespace connscope::testing
