// SPDX-License-Identifier: Apache-2.0
//
// The rules [[process]] of the config: which prefix a process has in the metrics, and whether it is captured at all.
//
//   args = true               # at the top: rules may look at command lines
//   [[process]]
//   prefix = "db"             # [a-zA-Z_][a-zA-Z0-9_]*; may be left out when capture = false
//   unit = "postgresql@*"     # any of exe, comm, cgroup, unit, container, user, args (globs) and uid (an integer)
//   capture = true
//
// All the matchers of one rule must match; the first rule that matches decides. ProcessRules owns what it needs and is
// immutable once parsed: any thread may call match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/document.h"

namespace connscope::identity {

/// What is known of a process; what is not known is empty.
struct ProcessAttributes {
  std::string exe;  // full path
  std::string comm;
  std::string cgroup;  // path from the root of the hierarchy: "/system.slice/…"
  std::string unit;
  std::string container;
  std::uint32_t uid = 0;
  std::string user;
  std::string args;  // joined by spaces
};

class ProcessRules {
 public:
  struct Verdict {
    std::string prefix;
    bool capture;
  };

  /// Reads `process` and `args` of the root. Problems go to the document, whose finish() then refuses the whole.
  static ProcessRules parse(const config::Section& root);

  /// Without a matching rule, or with one that names no prefix: captured or not as the rule says (yes without one),
  /// under the base name of the executable, else the comm, else "unknown".
  [[nodiscard]] Verdict match(const ProcessAttributes& process) const;

  /// Whether any rule looks at args or user, so that they need be read at all.
  [[nodiscard]] bool wants_args() const;
  [[nodiscard]] bool wants_user() const;

 private:
  struct Matcher {
    std::string ProcessAttributes::*attribute;
    std::string glob;
  };
  struct Rule {
    std::string prefix;
    bool capture = true;
    std::vector<Matcher> matchers;
    std::optional<std::uint32_t> uid;

    [[nodiscard]] bool matches(const ProcessAttributes& process) const;
  };

  static std::optional<Rule> parse_rule(const config::Section& section, bool args_allowed);
  [[nodiscard]] bool wants(std::string ProcessAttributes::*attribute) const;

  std::vector<Rule> rules_;
};

}  // namespace connscope::identity
