// SPDX-License-Identifier: Apache-2.0
//
// What must hold before the text goes to the TOML library: no NUL bytes, and no nesting that would use up the stack.
// toml++ 3.3 limits nested arrays and inline tables (256) but not the parts of a dotted key, and takes its tables down
// by recursion: 100,000 parts, a file of 200 kB, end the process. So both are limited here, with a line to name.
// Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connscope::config {

struct TextFinding {
  std::uint32_t line;
  std::string message;
};

constexpr int kMaxNesting = 32;   // of brackets and braces
constexpr int kMaxKeyParts = 32;  // of one dotted key or table name

/// The first finding; none when the text may be parsed.
[[nodiscard]] std::optional<TextFinding> check_text(std::string_view text);

}  // namespace connscope::config
