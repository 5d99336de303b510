// SPDX-License-Identifier: Apache-2.0
#include "agent/host/text.h"

#include <charconv>
#include <string>

namespace connscope::host {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kQuoted = 80;  // as much of a bad line as a message needs

template <class T, class... Format>
std::optional<T> whole(std::string_view text, Format... format) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, format...);
  if (text.empty() || status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view take_field(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(kBlanks), rest.size());
  const std::size_t end = std::min(rest.find_first_of(kBlanks, begin), rest.size());
  const std::string_view field = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return field;
}

std::optional<std::uint64_t> to_number(std::string_view text, int base) { return whole<std::uint64_t>(text, base); }

std::optional<std::uint64_t> to_prefixed_number(std::string_view text) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  return hexadecimal ? to_number(text.substr(2), 16) : to_number(text);
}

std::optional<std::int64_t> to_integer(std::string_view text) { return whole<std::int64_t>(text, 10); }

std::optional<double> to_real(std::string_view text) { return whole<double>(text); }

Error malformed(std::string_view file, std::string_view line) {
  const bool cut = line.size() > kQuoted;
  return Error(std::string(file) + ": not understood: \"" + std::string(line.substr(0, kQuoted)) +
               (cut ? "\"…" : "\""));
}

}  // namespace connscope::host
