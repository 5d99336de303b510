// SPDX-License-Identifier: Apache-2.0
//
// The text that the kernel writes: lines of fields with blanks between them. Everything here is a view into that text:
// nothing is copied and nothing allocates, but for the message of an error. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/take_until.h"

namespace connscope::host {

[[nodiscard]] std::string_view trimmed(std::string_view text);
/// The next line, without its end.
inline std::string_view take_line(std::string_view& rest) { return take_until(rest, '\n'); }
/// The next run of what is no blank; empty at the end.
std::string_view take_field(std::string_view& rest);

// The whole text is the number, or there is none.
[[nodiscard]] std::optional<std::uint64_t> to_number(std::string_view text, int base = 10);
/// "0x…" or "0X…" is hexadecimal, else decimal.
[[nodiscard]] std::optional<std::uint64_t> to_prefixed_number(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> to_integer(std::string_view text);
[[nodiscard]] std::optional<double> to_real(std::string_view text);

/// The fields of one line: of more than N those beyond are not kept.
template <std::size_t N>
class Fields {
 public:
  explicit Fields(std::string_view line) {
    for (std::string_view field = take_field(line); !field.empty() && size_ < N; field = take_field(line))
      fields_[size_++] = field;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Empty beyond the end.
  [[nodiscard]] std::string_view operator[](std::size_t at) const {
    return at < size_ ? fields_[at] : std::string_view();
  }

 private:
  std::array<std::string_view, N> fields_;
  std::size_t size_ = 0;
};

/// `file`: "LINE" is not what that file has there.
[[nodiscard]] Error malformed(std::string_view file, std::string_view line);

}  // namespace connscope::host
