// SPDX-License-Identifier: Apache-2.0
//
// Durations as the config has them: a whole number and one unit (ms, s, m, h, d). Pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace connscope::config {

/// Empty when `text` is not a duration; milliseconds::max() when it is longer than that.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// In the largest unit that keeps it a whole number: "90s", "2m", "7d".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace connscope::config
