// SPDX-License-Identifier: Apache-2.0
//
// Audit: what a probe has seen against what the kernel itself counts in /proc/net/snmp of the network namespaces, over
// a sliding window. A ratio of 1 says that nothing was missed. One thread; times are passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace connscope::probe {

class AuditWindow {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit AuditWindow(std::chrono::seconds length) : length_(length) {}

  /// Both counters as they are now, since any beginning.
  void add(Time now, std::uint64_t observed, std::uint64_t kernel);
  struct Change {
    std::int64_t observed;  ///< negative for a moment: an open is taken back when it had no port
    std::uint64_t kernel;
  };
  /// What both have gained over the window; nothing while the kernel has counted nothing in it.
  [[nodiscard]] std::optional<Change> change() const;

 private:
  struct Reading {
    Time time;
    std::uint64_t observed;
    std::uint64_t kernel;
  };
  std::chrono::seconds length_;
  std::deque<Reading> readings_;
};

/// One counter of the lines of `protocol` in a file like /proc/net/snmp: a line of names, then one of values.
Result<std::uint64_t> protocol_counter(std::string_view text, std::string_view protocol, std::string_view name);

}  // namespace connscope::probe
