// SPDX-License-Identifier: Apache-2.0
//
// How many series scrapes left out since the start, by the parameter that asked for it. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace connscope::runtime {

struct FilteredSeries {
  std::atomic<std::uint64_t> by_name{0};
  std::atomic<std::uint64_t> by_prefix{0};
};

}  // namespace connscope::runtime
