// SPDX-License-Identifier: Apache-2.0
//
// Pieces of the config's messages. What comes from the file is shown so that it stays on one line of a terminal or a
// log, whatever bytes it has. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connscope::config {

/// Control characters as \xNN; everything else as it stands.
[[nodiscard]] std::string printable(std::string_view text);

/// In double quotes, as TOML would have it, cut with "..." when it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// A key as it would stand in the file: bare when it can be, else quoted.
[[nodiscard]] std::string key_text(std::string_view key);

/// Shortest text that reads back as the same number.
[[nodiscard]] std::string number_text(double value);

/// "a, b, c".
[[nodiscard]] std::string joined(const std::vector<std::string_view>& words);

/// The candidate that `word` is most likely a misspelling of; empty when none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace connscope::config
