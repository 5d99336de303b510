// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/process_rules.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "agent/base/glob.h"
#include "agent/identity/interpreters.h"

namespace connscope::identity {
namespace {

struct MatcherKey {
  const char* key;
  std::string ProcessAttributes::*attribute;
};

constexpr std::array<MatcherKey, 8> kMatcherKeys{{{"exe", &ProcessAttributes::exe},
                                                  {"script", &ProcessAttributes::script},
                                                  {"comm", &ProcessAttributes::comm},
                                                  {"cgroup", &ProcessAttributes::cgroup},
                                                  {"unit", &ProcessAttributes::unit},
                                                  {"container", &ProcessAttributes::container},
                                                  {"user", &ProcessAttributes::user},
                                                  {"args", &ProcessAttributes::args}}};

constexpr std::string_view kMatcherNames = "exe, script, comm, cgroup, unit, container, uid, user, args";

// The kernel keeps the greatest uid to say "none".
constexpr std::int64_t kMaxUid = std::numeric_limits<std::uint32_t>::max() - 1;

bool is_prefix(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

std::string own_name(const ProcessAttributes& process) {
  const std::string_view program = program_prefix(process.script);
  if (!program.empty()) return std::string(program);
  const std::string base = process.exe.substr(process.exe.rfind('/') + 1);  // npos + 1 is 0: no slash, all of it
  if (!base.empty()) return base;
  return process.comm.empty() ? "unknown" : process.comm;
}

}  // namespace

ProcessRules ProcessRules::parse(const config::Section& root) {
  ProcessRules rules;
  rules.parse_identity(root.table("identity"));
  const Allowed allowed{root.flag("args", false), rules.interpreters_ != 0};
  for (const config::Section& section : root.tables("process")) {
    if (auto rule = parse_rule(section, allowed)) rules.rules_.push_back(*std::move(rule));
  }
  return rules;
}

void ProcessRules::parse_identity(const config::Section& section) {
  interpreters_ = parse_interpreters(section);
  excluded_ = section.texts("exclude");
  if (std::find(excluded_.begin(), excluded_.end(), "") != excluded_.end())
    section.fail("exclude", "has an empty string in it; allowed: prefixes, or globs of them such as \"cron*\"");
}

std::optional<ProcessRules::Rule> ProcessRules::parse_rule(const config::Section& section, Allowed allowed) {
  Rule rule;
  rule.capture = section.flag("capture", true);
  rule.prefix = section.text("prefix", "");
  const bool has_prefix = section.has("prefix");
  const bool prefix_fits = has_prefix ? is_prefix(rule.prefix) : !rule.capture;
  if (!prefix_fits) {
    section.fail("prefix", std::string(has_prefix ? "is not a prefix" : "is missing") +
                               "; allowed: [a-zA-Z_][a-zA-Z0-9_]*, or none with capture = false");
  }
  for (const MatcherKey& matcher : kMatcherKeys) {
    if (section.has(matcher.key)) rule.matchers.push_back({matcher.attribute, section.text(matcher.key, "")});
  }
  if (section.has("uid")) rule.uid = static_cast<std::uint32_t>(section.integer("uid", 0, 0, kMaxUid));
  const bool matches_something = !rule.matchers.empty() || rule.uid;
  if (!matches_something) {
    section.fail("a rule without a matcher; allowed: at least one of " + std::string(kMatcherNames));
  }
  const bool args_fit = allowed.args || !section.has("args");
  if (!args_fit) {
    section.fail("args", "command lines are not read; allowed: with args = true at the top of the file");
  }
  const bool script_fits = allowed.script || !section.has("script");
  if (!script_fits) {
    section.fail("script",
                 "what interpreters run is not looked at; allowed: with interpreters = true, or a list, in [identity]");
  }
  if (!prefix_fits || !matches_something || !args_fit || !script_fits) return std::nullopt;
  return rule;
}

bool ProcessRules::Rule::matches(const ProcessAttributes& process) const {
  if (uid && *uid != process.uid) return false;
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return glob_match(matcher.glob, process.*matcher.attribute); });
}

ProcessRules::Verdict ProcessRules::match_rules(const ProcessAttributes& process) const {
  const auto rule =
      std::find_if(rules_.begin(), rules_.end(), [&](const Rule& candidate) { return candidate.matches(process); });
  if (rule == rules_.end()) return {own_name(process)};
  return {rule->prefix.empty() ? own_name(process) : rule->prefix,
          rule->capture ? LEFT_OUT_BY_NOTHING : LEFT_OUT_BY_RULE};
}

ProcessRules::Verdict ProcessRules::match(const ProcessAttributes& process) const {
  Verdict verdict = match_rules(process);
  const bool is_excluded = std::any_of(excluded_.begin(), excluded_.end(),
                                       [&](const std::string& glob) { return glob_match(glob, verdict.prefix); });
  if (verdict.is_captured() && is_excluded) verdict.left_out = LEFT_OUT_BY_EXCLUDE;
  return verdict;
}

CaptureWishes ProcessRules::wishes() const { return {wants(&ProcessAttributes::args), interpreters_}; }
bool ProcessRules::wants_user() const { return wants(&ProcessAttributes::user); }

bool ProcessRules::wants(std::string ProcessAttributes::*attribute) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return std::any_of(rule.matchers.begin(), rule.matchers.end(),
                       [&](const Matcher& matcher) { return matcher.attribute == attribute; });
  });
}

}  // namespace connscope::identity
