// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "agent/metrics/utf8.h"

namespace connscope::terminal {
namespace {

constexpr char32_t kIllegal = 0xFFFFFFFF;

struct Decoded {
  char32_t character;  // kIllegal: the byte begins none
  std::size_t bytes;
};

/// The character that `text`, which is not empty, begins with.
Decoded decode(std::string_view text) {
  const std::size_t length = metrics::utf8_length(text, 0);
  if (length == 0) return {kIllegal, 1};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length == 1) return {byte(0), 1};
  char32_t character = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) character = character << 6U | (byte(i) & 0x3FU);
  return {character, length};
}

/// Controls of both sets, and the marks that are not seen or change the direction of what follows.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == kIllegal;
}

}  // namespace

std::string safe(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (is_unsafe(next.character)) {
      for (const char c : text.substr(0, next.bytes)) {
        std::array<char, 8> hex{};
        std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += hex.data();
      }
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string in_charset(std::string text, bool unicode) {
  static constexpr std::string_view kMicro = "µ";
  if (unicode) return text;
  for (std::size_t at = text.find(kMicro); at != std::string::npos; at = text.find(kMicro, at))
    text.replace(at, kMicro.size(), "u");
  return text;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string cut(std::string_view text, std::size_t width, bool unicode) {
  if (width_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t bytes = 0;
  for (std::size_t cells = 0; cells + 1 < width; ++cells) bytes += decode(text.substr(bytes)).bytes;
  return std::string(text.substr(0, bytes)) + (unicode ? "…" : "~");
}

std::string padded(std::string_view text, std::size_t width, bool to_the_right) {
  const std::size_t used = width_of(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return to_the_right ? space + std::string(text) : std::string(text) + space;
}

std::vector<std::string> Table::lines() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.name));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));

  std::vector<std::string> lines;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      line += (i == 0 ? "" : "  ") + padded(cell_of(i), widths[i], columns_[i].align == Align::kRight);
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  };
  add_line([&](std::size_t i) { return columns_[i].name; });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return lines;
}

}  // namespace connscope::terminal
