// SPDX-License-Identifier: Apache-2.0
#include "agent/config/text_check.h"

#include <cstddef>
#include <utility>

namespace connscope::config {
namespace {

/// Walks the text as far as to tell strings and comments from the rest. On text that is not TOML it may lose its way,
/// but only behind the place where the library stops with an error of its own.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::optional<TextFinding> run() {
    while (at_ < text_.size()) {
      step();
      if (depth_ > kMaxNesting) return finding("nested too deep; allowed: " + std::to_string(kMaxNesting) + " levels");
      if (dots_ >= kMaxKeyParts) {
        return finding("a key of too many parts; allowed: " + std::to_string(kMaxKeyParts) + " parts");
      }
    }
    return std::nullopt;
  }

 private:
  void step() {
    switch (const char c = text_[at_]) {
      case '#':
        at_ = text_.find('\n', at_);
        return;
      case '"':
      case '\'':
        skip_string(c);
        return;
      case '[':
      case '{':
        ++depth_;
        break;
      case ']':
      case '}':
        if (depth_ > 0) --depth_;
        break;
      case '.':
        ++dots_;
        break;
      case '\n':
        ++line_;
        [[fallthrough]];
      case ',':
      case '=':
        dots_ = 0;  // a key ends here, so that a row of fractions is no long key
        break;
      default:
        break;
    }
    ++at_;
  }

  void skip_string(char quote) {
    const std::string delimiter(3, quote);
    const bool multi_line = text_.compare(at_, 3, delimiter) == 0;
    at_ += multi_line ? 3U : 1U;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') {
        if (!multi_line) return;  // unterminated: the library will say so
        ++line_;
      } else if (text_[at_] == '\\' && quote == '"') {
        // What is escaped ends no string; an escaped line end still counts as a line.
        if (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (text_[at_] == quote && (!multi_line || text_.compare(at_, 3, delimiter) == 0)) {
        at_ += multi_line ? 3U : 1U;
        // Up to two quotes more may stand before the closing three.
        for (int i = 0; multi_line && i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
        return;
      }
    }
  }

  [[nodiscard]] std::optional<TextFinding> finding(std::string message) const {
    return TextFinding{line_, std::move(message)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  int depth_ = 0;
  int dots_ = 0;
};

std::uint32_t line_of(std::string_view text, std::size_t at) {
  std::uint32_t line = 1;
  for (const char c : text.substr(0, at)) line += c == '\n' ? 1U : 0U;
  return line;
}

}  // namespace

std::optional<TextFinding> check_text(std::string_view text) {
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) return TextFinding{line_of(text, nul), "a NUL byte; allowed: UTF-8 text"};
  return Scan(text).run();
}

}  // namespace connscope::config
