// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/log_text.h"

#include <cstddef>

#include "agent/metrics/utf8.h"

namespace connscope::runtime {
namespace {

/// C0, DEL, and the C1 controls, which a terminal in UTF-8 obeys just as well.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

void append_hex(std::string& out, std::string_view prefix, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : bytes) {
    out += prefix;
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 15U];
  }
}

void append_json(std::string& out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      if (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f') {
        out += c;
      } else {
        append_hex(out, "\\u00", {&c, 1});
      }
  }
}

}  // namespace

std::string log_text(std::string_view message, std::string_view continuation) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  std::string out;
  while (!message.empty()) {
    const std::size_t length = metrics::utf8_length(message, 0);
    const std::string_view character = message.substr(0, length == 0 ? 1 : length);
    message.remove_prefix(character.size());
    if (character == "\n") {
      out += '\n';
      out += continuation;
    } else if (length == 0 || (is_control(character) && character != "\t")) {
      append_hex(out, "\\x", character);
    } else {
      out += character;
    }
  }
  return out;
}

std::string json_string(std::string_view message) {
  std::string out = "\"";
  while (!message.empty()) {
    const std::size_t length = metrics::utf8_length(message, 0);
    if (length == 0) {
      out += "\\ufffd";
      message.remove_prefix(1);
    } else if (length == 1) {
      append_json(out, message[0]);
      message.remove_prefix(1);
    } else {
      out += message.substr(0, length);
      message.remove_prefix(length);
    }
  }
  return out += '"';
}

}  // namespace connscope::runtime
