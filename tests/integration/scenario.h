// SPDX-License-Identifier: Apache-2.0
//
// The outcomes of a TCP connect, each as a scenario: how it is made, what the program itself sees, and what the agent
// must have counted after it. One list for the tests to go through.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "tests/integration/world.h"

namespace connscope::testing {

struct Scenario {
  using Run = std::function<Result<std::vector<Said>>(const World&, const Actor&)>;

  /// Letters, digits and underscores.
  std::string name;
  Run run;
  /// The words that tcp_actor prints, in order.
  std::vector<std::string> says;
  /// What one run adds to the counts of the process.
  std::string ip_family = "ipv4";
  int ok = 0;
  std::map<std::string, int> failures = {};
  /// Bounds of the durations of one run, summed.
  double min_seconds = 0;
  double max_seconds = 1;

  [[nodiscard]] int failed() const;
};

std::vector<Scenario> scenarios();

}  // namespace connscope::testing
