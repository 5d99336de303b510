// SPDX-License-Identifier: Apache-2.0
#include "exporters/name_parts.h"

#include <algorithm>
#include <cstddef>

#include "agent/config/message.h"
#include "agent/metrics/utf8.h"

namespace connscope::exporters {
namespace {

bool is_part_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_path_character(char c) { return is_part_character(c) || c == '.'; }

}  // namespace

void append_part(std::string_view text, std::string& out) {
  for (const char c : text) out += is_part_character(c) ? c : '_';
}

void append_parts(std::string_view text, std::string& out) {
  for (const char c : text) out += is_path_character(c) ? c : '_';
}

void append_path(std::string_view prefix, std::string_view id, std::string& out) {
  if (!prefix.empty()) {
    append_part(prefix, out);
    out += '.';
  }
  append_parts(id, out);
}

void append_tag_text(std::string_view text, std::string_view forbidden, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = metrics::utf8_length(text, at);
    const char c = text[at];
    const bool is_legal = length > 1 || (length == 1 && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f &&
                                         forbidden.find(c) == std::string_view::npos);
    if (is_legal) {
      out += text.substr(at, length);
    } else {
      out += '_';
    }
    at += std::max<std::size_t>(length, 1);
  }
}

std::string parse_name_prefix(const config::Section& section) {
  const std::string prefix = section.text("prefix", "");
  if (!std::all_of(prefix.begin(), prefix.end(), is_path_character))
    section.fail("prefix", config::in_quotes(prefix) + " is no name; allowed: letters, digits, _ and -, with dots");
  return prefix.empty() || prefix.back() == '.' ? prefix : prefix + ".";
}

}  // namespace connscope::exporters
