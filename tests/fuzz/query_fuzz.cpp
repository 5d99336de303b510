// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a query. What is accepted, encoded again and parsed again, is the same; what is refused says where; and
// any text survives being encoded and parsed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/http/query.h"

namespace {

using connscope::http::kMaxQueryParameters;
using connscope::http::parse_query;
using connscope::http::QueryParameters;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      encoded += c;
    } else if (c == ' ') {
      encoded += '+';
    } else {
      encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return encoded;
}

std::string encode(const QueryParameters& parameters) {
  std::string query;
  for (const auto& [key, value] : parameters) query += encode(key) + "=" + encode(value) + "&";
  return query;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = parse_query(query)) {
    require(parsed->size() <= kMaxQueryParameters);
    const auto again = parse_query(encode(*parsed));
    require(again && *again == *parsed);
  } else {
    require(parsed.error().message().rfind("query, character ", 0) == 0);
  }
  const auto text = parse_query("key=" + encode(query));
  const bool has_nul = query.find('\0') != std::string_view::npos;
  require(text.has_value() != has_nul);
  if (text) require(*text == QueryParameters{{"key", std::string(query)}});
  return 0;
}
