// SPDX-License-Identifier: Apache-2.0
//
// What happened between two looks at the agent's metrics: which processes failed and why, and which were slow in which
// stage. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/terminal/distribution.h"
#include "agent/terminal/fetch.h"

namespace connscope::terminal {

enum class Timed { kDns, kTcp, kTls };
inline constexpr std::size_t kTimed = 3;

struct Failing {
  std::string process;
  std::uint64_t count = 0;
  std::map<std::string, std::uint64_t> reasons;  ///< by "dns/nxdomain"
};

struct Slow {
  std::string process;
  std::string what;  ///< of DNS: "lookup" of the C library, or "query" on the wire; else empty
  Distribution durations;
};

struct Summary {
  double seconds = 0;                          ///< between the looks; 0: since the agent started
  std::vector<Failing> failing;                ///< the most failures first
  std::array<std::vector<Slow>, kTimed> slow;  ///< by Timed; the greatest 95th percentile first
  std::array<Distribution, kTimed> all;  ///< by Timed: of all processes; of DNS: the queries, or else the look-ups
};

/// The families that summarize() reads, as patterns for fetch().
[[nodiscard]] const std::vector<std::string>& summarized_families();

/// `before` is nullptr for all that happened since the agent started.
[[nodiscard]] Summary summarize(const Fetched* before, const Fetched& now);

}  // namespace connscope::terminal
