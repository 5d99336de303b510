// SPDX-License-Identifier: Apache-2.0
//
// The rules [[process]] of the config: which prefix a process has in the metrics, and whether it is captured at all.
//
//   args = true               # at the top: rules may look at command lines
//   [[process]]
//   prefix = "db"             # [a-zA-Z_][a-zA-Z0-9_]*; may be left out when capture = false
//   unit = "postgresql@*"     # any of exe, script, comm, cgroup, unit, container, user, args (globs), uid (an integer)
//   capture = true
//   [identity]
//   interpreters = true       # or a list of languages: whose programs are told apart
//   exclude = ["quiet*"]      # globs: processes with such a prefix are not captured
//
// All the matchers of one rule must match; the first rule that matches decides, and `exclude` after that. ProcessRules
// owns what it needs and is immutable once parsed: any thread may call match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/document.h"
#include "agent/identity/identity_source.h"

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
  std::string args;    // joined by spaces
  std::string script;  // what an interpreter runs: the base name of a script, a module, a main class, a jar
};

class ProcessRules {
 public:
  struct Verdict {
    std::string prefix;
    left_out_by left_out = LEFT_OUT_BY_NOTHING;

    [[nodiscard]] bool is_captured() const { return left_out == LEFT_OUT_BY_NOTHING; }
  };

  /// Reads `process`, `args` and `identity` of the root. Problems go to the document, whose finish() then refuses the
  /// whole.
  static ProcessRules parse(const config::Section& root);

  /// Without a matching rule, or with one that names no prefix: captured or not as the rule says (yes without one),
  /// under the name of the interpreted program, else the base name of the executable, else the comm, else "unknown".
  [[nodiscard]] Verdict match(const ProcessAttributes& process) const;

  /// What need be read at all.
  [[nodiscard]] CaptureWishes wishes() const;
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

  /// Matchers of what is read only when the config says so.
  struct Allowed {
    bool args;
    bool script;
  };
  static std::optional<Rule> parse_rule(const config::Section& section, Allowed allowed);
  void parse_identity(const config::Section& section);
  [[nodiscard]] Verdict match_rules(const ProcessAttributes& process) const;
  [[nodiscard]] bool wants(std::string ProcessAttributes::*attribute) const;

  std::vector<Rule> rules_;
  std::uint32_t interpreters_ = 0;
  std::vector<std::string> excluded_;  // globs
};

}  // namespace connscope::identity
