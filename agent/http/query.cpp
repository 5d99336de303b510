// SPDX-License-Identifier: Apache-2.0
#include "agent/http/query.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace connscope::http {
namespace {

Error error_at(std::size_t offset, std::string_view what) {
  return Error("query, character " + std::to_string(offset + 1) + ": " + std::string(what));
}

std::optional<char> decode_escape(std::string_view digits) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<char>(value);
}

/// Decodes the `length` characters at `begin`.
Result<std::string> decode(std::string_view query, std::size_t begin, std::size_t length) {
  std::string text;
  text.reserve(length);
  const std::size_t end = begin + length;
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t start = i;
    char c = query[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      const auto escaped = decode_escape(query.substr(i + 1, std::min<std::size_t>(2, end - i - 1)));
      if (!escaped) return error_at(start, "broken escape: % needs two hexadecimal digits (a percent sign is %25)");
      c = *escaped;
      i += 2;
    }
    if (c == '\0') return error_at(start, "a NUL byte is not allowed");
    text.push_back(c);
  }
  return text;
}

}  // namespace

Result<QueryParameters> parse_query(std::string_view query) {
  QueryParameters parameters;
  for (std::size_t begin = 0; begin < query.size();) {
    const std::size_t end = std::min(query.find('&', begin), query.size());
    if (end > begin) {
      if (parameters.size() == kMaxQueryParameters) {
        return error_at(begin, "more than " + std::to_string(kMaxQueryParameters) + " parameters");
      }
      const std::size_t equals = std::min(query.find('=', begin), end);
      auto key = decode(query, begin, equals - begin);
      if (!key) return key.error();
      const std::size_t value_begin = std::min(equals + 1, end);
      auto value = decode(query, value_begin, end - value_begin);
      if (!value) return value.error();
      parameters.emplace_back(std::move(*key), std::move(*value));
    }
    begin = end + 1;
  }
  return parameters;
}

}  // namespace connscope::http
