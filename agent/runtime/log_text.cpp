// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/log_text.h"

#include <array>
#include <cstddef>

namespace connscope::runtime {
namespace {

/// Shape of a UTF-8 sequence by its first byte (RFC 3629 section 4): its length, and the range of its second byte,
/// which is what keeps overlong forms, surrogates and what is beyond U+10FFFF out.
struct Shape {
  unsigned char first_min;
  unsigned char first_max;
  unsigned char second_min;
  unsigned char second_max;
  std::size_t length;
};

constexpr std::array<Shape, 8> kShapes{{{0xc2, 0xdf, 0x80, 0xbf, 2},
                                        {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                        {0xe1, 0xec, 0x80, 0xbf, 3},
                                        {0xed, 0xed, 0x80, 0x9f, 3},
                                        {0xee, 0xef, 0x80, 0xbf, 3},
                                        {0xf0, 0xf0, 0x90, 0xbf, 4},
                                        {0xf1, 0xf3, 0x80, 0xbf, 4},
                                        {0xf4, 0xf4, 0x80, 0x8f, 4}}};

bool has_shape(std::string_view text, const Shape& shape) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < shape.first_min || byte(0) > shape.first_max || text.size() < shape.length) return false;
  if (byte(1) < shape.second_min || byte(1) > shape.second_max) return false;
  for (std::size_t i = 2; i < shape.length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return false;
  }
  return true;
}

/// Length of the character that `text` (not empty) begins with; 0 when that is not UTF-8.
std::size_t character_length(std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) return 1;
  for (const Shape& shape : kShapes) {
    if (has_shape(text, shape)) return shape.length;
  }
  return 0;
}

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
    const std::size_t length = character_length(message);
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
    const std::size_t length = character_length(message);
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
