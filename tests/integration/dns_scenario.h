// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a DNS query is asked, answered or left without an answer, each as a scenario: what the client does,
// what it sees itself, and what the agent must have counted for it and for the server. One list for the tests to go
// through. The client's and the server's words are in tests/support/dns_ask.h and dns_script.h.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/dns_counts.h"

namespace connscope::testing {

/// How a scenario's client ends.
enum class ClientEnd {
  /// By itself.
  kByItself,
  /// It says "asked" and waits; its input is closed when the agent has counted all that is to be counted.
  kWhenCounted,
  /// It says "asked" and is killed then.
  kKilled,
};

struct DnsScenario {
  /// Letters, digits and underscores.
  std::string name;
  std::string steps;
  /// What the client prints, apart from "asked".
  std::vector<std::string> said;
  /// What one run adds.
  DnsCounts client;
  /// By the server.
  Counts served = {};
  ClientEnd end = ClientEnd::kByItself;
  std::string address = "10.77.0.2";
  std::string port = "53";
  bool has_server = true;
  /// False where what the server says is no proper answer: then it is open what was served.
  bool tells_served = true;
  /// The server's delay is nearly all of what the client waits for.
  bool is_delayed = false;
  /// Bounds of the durations of one run, summed, where no answer tells them.
  double min_seconds = 0;
  double max_seconds = 0;
};

/// Those that are over at once.
std::vector<DnsScenario> dns_scenarios();
/// Those that need more than a second, in which the others of them can be played.
std::vector<DnsScenario> slow_dns_scenarios();

}  // namespace connscope::testing
