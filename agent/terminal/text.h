// SPDX-License-Identifier: Apache-2.0
//
// Text on a terminal: cells of a known width, in tables. What comes from other processes is shown so that it cannot
// control the terminal. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace connscope::terminal {

/// Control characters, bytes that are not UTF-8, and what hides or turns text around, as \xNN.
[[nodiscard]] std::string safe(std::string_view text);

/// The text for a terminal that may show ASCII alone: our own "µ" is "u" there. Names of others stay as they are.
[[nodiscard]] std::string in_charset(std::string text, bool unicode);

/// How many cells it takes: one a character. Wide characters are not known.
[[nodiscard]] std::size_t width_of(std::string_view text);
/// The first `width` cells; a text that is cut ends in "…" (or "~").
[[nodiscard]] std::string cut(std::string_view text, std::size_t width, bool unicode);
[[nodiscard]] std::string padded(std::string_view text, std::size_t width, bool to_the_right);

/// Rows under a head, columns as wide as they need to be. Cells are safe text.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string name;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell a column.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The head of the first column.
  [[nodiscard]] const std::string& name() const { return columns_.front().name; }
  /// The head and the rows, without line ends, and without spaces at a line's end.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace connscope::terminal
