// SPDX-License-Identifier: Apache-2.0
//
// A histogram drawn with characters, a line a bucket:
//
//   ≤ 977µs │████████▌              12
//   ≤ 1.95ms│████████████████████   28
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/terminal/distribution.h"

namespace connscope::terminal {

struct Canvas {
  std::size_t width = 80;
  std::size_t height = 20;
  bool unicode = true;
};

/// At most `height` lines, no wider than `width`: neighbouring buckets are put together until they fit. Buckets between
/// others are shown though they are empty. No line for an empty distribution.
[[nodiscard]] std::vector<std::string> draw_histogram(const Distribution& distribution, std::string_view unit,
                                                      const Canvas& canvas);

}  // namespace connscope::terminal
