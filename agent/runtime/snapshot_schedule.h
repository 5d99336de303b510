// SPDX-License-Identifier: Apache-2.0
//
// SnapshotSchedule: when those exporters are due that push whole snapshots at intervals of their own. Each is due as
// soon as it is known, so that a host shows up at once, and then by its interval; times that were missed are not made
// up for. There is no clock in here. The collecting thread only.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace connscope::runtime {

class SnapshotSchedule {
 public:
  using Intervals = std::map<std::string, std::chrono::milliseconds, std::less<>>;
  using Time = std::chrono::steady_clock::time_point;

  /// Those that were known before with the same interval keep their time.
  void set(const Intervals& intervals, Time now);
  [[nodiscard]] std::optional<Time> next_due() const;
  /// Those that are due, which are due again after their interval.
  [[nodiscard]] std::vector<std::string> take_due(Time now);
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Entry {
    std::chrono::milliseconds interval;
    Time due;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace connscope::runtime
