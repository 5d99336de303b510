// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a condition of another process, with a limit. Any thread.
#pragma once

#include <chrono>
#include <thread>

namespace connscope::testing {

/// Asks `condition` again and again until it is true; false when `limit` passed before that.
template <class Condition>
bool eventually(std::chrono::milliseconds limit, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace connscope::testing
