// SPDX-License-Identifier: Apache-2.0
//
// Memory that was used once and is not any more, such as what only the start needs, is given back, so that what is
// resident is what is in use. What is used again comes back by itself: code and constants from the page cache.
// Any thread. Errors do not matter here, since nothing depends on it. Source: madvise(2), malloc_trim(3), proc(5).
#pragma once

#include <chrono>
#include <optional>

namespace connscope {

/// Some milliseconds of work, and some hundred minor faults afterwards.
void release_idle_memory();

/// What deeper calls of this thread have left on its stack. Two system calls at the first time, then one.
void release_idle_stack();

/// When to do it: at once, again when the first requests have been served, and from then on now and then, since rare
/// work (a library that is new, a report, a reload) leaves memory behind too.
class IdleMemory {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kSettled{5};
  static constexpr std::chrono::minutes kInterval{10};

  /// To be called often, when nobody waits. Whether it was time.
  bool release_when_due(Time now);

 private:
  std::optional<Time> last_;
  bool has_settled_ = false;
};

}  // namespace connscope
