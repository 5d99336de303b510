// SPDX-License-Identifier: Apache-2.0
//
// HostMetrics: the collectors that are switched on, read one after the other at each collect, and added to the agent's
// snapshot. What one of them cannot read does not concern the others: its success gauge says so.
// Owns the collectors and what they read from. The collecting thread only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/host/collector.h"

namespace connscope::host {

class HostMetrics {
 public:
  using Clock = std::chrono::steady_clock;
  using GivenFlags = std::vector<std::pair<std::string, std::string>>;

  /// The collectors that `given` (flags by their names, without dashes) and `section` ([host]) ask for. Problems of the
  /// section go to its document; an error names the flag that is wrong.
  static Result<std::unique_ptr<HostMetrics>> create(config::Section section, const GivenFlags& given);
  HostMetrics(std::vector<std::unique_ptr<Collector>> collectors, std::unique_ptr<Kernel> kernel,
              std::chrono::milliseconds interval);
  HostMetrics(const HostMetrics&) = delete;
  HostMetrics& operator=(const HostMetrics&) = delete;
  ~HostMetrics() = default;

  /// How a collector fared: an error, or a complaint about its input.
  struct Outcome {
    std::string collector;
    Status status;
  };

  /// Reads the collectors that are `asked` for (empty: all), but those whose last reading is not older than the
  /// interval, and adds what all have to `snapshot`, whose families stay sorted by name.
  void collect(Clock::time_point now, metrics::Snapshot& snapshot, const std::set<std::string>& asked = {});
  /// Of the last reading, one a collector.
  [[nodiscard]] const std::vector<Outcome>& outcomes() const { return outcomes_; }
  /// Names of the collectors that are on.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Reports to the document what a reload cannot change.
  void check_reload(config::Section section) const;

 private:
  struct Member {
    std::unique_ptr<Collector> collector;
    // Of the last reading.
    std::optional<Clock::time_point> read_at = {};
    Clock::duration duration = {};
    bool success = false;
  };
  [[nodiscard]] bool is_due(const Member& member, Clock::time_point now, const std::set<std::string>& asked) const;
  Status read(Member& member, Clock::time_point now);
  void show_readings();
  void take_complaints();

  std::vector<Member> members_;
  std::unique_ptr<Kernel> kernel_;
  std::chrono::milliseconds interval_;
  Table scrapes_;
  std::vector<Outcome> outcomes_;  // one a member
};

}  // namespace connscope::host
