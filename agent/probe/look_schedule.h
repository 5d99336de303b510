// SPDX-License-Identifier: Apache-2.0
//
// LookSchedule: when to look at a process that has executed a file. It has no libraries yet at that moment: those that
// it was linked with are there some milliseconds later, those that an interpreter loads (Python's import of ssl) some
// tens to hundreds. So each is looked at a few times, as long as it lives. Times are passed in; one thread.
//
// What finds no room is left to the looks at all processes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace connscope::probe {

class LookSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Look {
    std::uint32_t process = 0;
    std::size_t number = 0;  ///< how many there were before it
    Time executed;
  };
  /// After the exec.
  static constexpr std::array<std::chrono::milliseconds, 3> kLooksAfter = {
      std::chrono::milliseconds(50), std::chrono::milliseconds(250), std::chrono::milliseconds(1000)};

  /// At most `limit` processes at once.
  explicit LookSchedule(std::size_t limit) : limit_(limit) {}

  void add(std::uint32_t process, Time executed);
  /// Takes the one that is due longest; nullopt: none is.
  std::optional<Look> take_due(Time now);
  /// It was looked at, and may be again.
  void go_on(const Look& look);
  /// When the next one is due; nullopt: nobody waits.
  [[nodiscard]] std::optional<Time> next() const;

 private:
  void enter(const Look& look);

  std::size_t limit_;
  std::multimap<Time, Look> due_;
};

}  // namespace connscope::probe
