// SPDX-License-Identifier: Apache-2.0
//
// Patterns of the command line, which choose devices, mounts and fields. They are regular expressions in RE2's syntax,
// since that is what such flags have always taken; a match is anywhere in the text unless the pattern says ^ and $.
// Names come again at each reading, so what was decided is remembered. The collecting thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/base/result.h"
#include "agent/host/table.h"

namespace re2 {
class RE2;
}

namespace connscope::host {

class Pattern {
 public:
  /// An error says what is wrong with the expression.
  static Result<Pattern> compile(const std::string& expression);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}
  std::shared_ptr<const re2::RE2> expression_;
};

/// What passes: names that `include` matches and `exclude` does not; an empty expression does not judge.
class Filter {
 public:
  Filter() = default;
  static Result<Filter> create(const std::string& include, const std::string& exclude);
  [[nodiscard]] bool passes(std::string_view name);

 private:
  /// Names of containers' interfaces never end: when so many are remembered, all are forgotten.
  static constexpr std::size_t kRemembered = 65536;

  [[nodiscard]] bool judge(std::string_view name) const;

  std::unique_ptr<Pattern> include_;
  std::unique_ptr<Pattern> exclude_;
  std::unordered_map<std::string, bool, TextHash, std::equal_to<>> judged_;
};

}  // namespace connscope::host
