// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as metrics need it: label values are UTF-8 text, but much that becomes one (a command name, a file's path) may
// be any bytes. Pure functions, any thread. Source: RFC 3629 section 4 (no overlong forms, no surrogates, at most
// U+10FFFF).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace connscope::metrics {

/// U+FFFD, which stands for each byte that belongs to no character.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// How many bytes the character at `text[at]` has; 0 when there is no well-formed one. `at` is inside `text`.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at);
[[nodiscard]] bool is_utf8(std::string_view text);
/// The text itself when it is UTF-8, else with every stray byte replaced: what a caller does before it asks a family
/// for a series with a value of unknown origin.
[[nodiscard]] std::string to_utf8(std::string_view text);

}  // namespace connscope::metrics
