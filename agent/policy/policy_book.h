// SPDX-License-Identifier: Apache-2.0
//
// PolicyBook: which policy a metric has. The moves of people at run time come first, the latest of them before all
// (FEATURES L14); then the policies of the config in their order. It knows of each pattern whether a metric has ever
// matched it, and tells of those that none did for a minute, once (L12). One thread at a time; the caller passes time.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/policy/policy.h"

namespace connscope::policy {

class PolicyBook {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kPatience{60};
  static constexpr std::size_t kMaxMoves = 1000;

  struct Move {
    std::string glob;
    std::string policy;
  };

  /// In place of those before. Moves to a policy that is gone end, and are given back; patterns that stay keep what is
  /// known of them.
  std::vector<Move> set(std::vector<Policy> policies, Time now);

  /// The index of the metric's policy; Metric::kNoPolicy when it has none. Marks the patterns that match.
  [[nodiscard]] std::size_t assign(std::string_view metric);
  /// From now on metrics that match go to that policy. An error when there is none of that name.
  Status move(const std::string& glob, std::string_view policy);
  /// Sentences on patterns that have matched nothing for kPatience, each once.
  [[nodiscard]] std::vector<std::string> take_warnings(Time now);

  [[nodiscard]] const std::vector<Policy>& policies() const { return policies_; }
  [[nodiscard]] const std::vector<Move>& moves() const { return moves_; }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view policy) const;
  /// An error that says which policies there are.
  [[nodiscard]] Error unknown(std::string_view policy) const;

 private:
  struct Pattern {
    std::string policy;
    std::string glob;
    Time since;
    bool matched = false;
    bool told = false;
  };

  std::vector<Policy> policies_;
  std::vector<Move> moves_;  // the latest first
  std::vector<Pattern> patterns_;
};

}  // namespace connscope::policy
