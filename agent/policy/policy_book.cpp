// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/policy_book.h"

#include <algorithm>
#include <utility>

#include "agent/base/glob.h"
#include "agent/config/message.h"
#include "agent/policy/gatherer.h"

namespace connscope::policy {
namespace {

bool matches_any(const std::vector<std::string>& globs, std::string_view metric) {
  return std::any_of(globs.begin(), globs.end(), [metric](const auto& glob) { return glob_match(glob, metric); });
}

}  // namespace

std::vector<PolicyBook::Move> PolicyBook::set(std::vector<Policy> policies, Time now) {
  policies_ = std::move(policies);
  std::vector<Pattern> patterns;
  for (const Policy& policy : policies_) {
    for (const std::string& glob : policy.report) {
      const auto same = [&](const Pattern& old) { return old.policy == policy.name && old.glob == glob; };
      const auto old = std::find_if(patterns_.begin(), patterns_.end(), same);
      patterns.push_back(old != patterns_.end() ? *old : Pattern{policy.name, glob, now});
    }
  }
  patterns_ = std::move(patterns);
  const auto ended = std::stable_partition(moves_.begin(), moves_.end(),
                                           [this](const Move& move) { return find(move.policy).has_value(); });
  std::vector<Move> gone(ended, moves_.end());
  moves_.erase(ended, moves_.end());
  return gone;
}

std::size_t PolicyBook::assign(std::string_view metric) {
  for (Pattern& pattern : patterns_)
    if (!pattern.matched) pattern.matched = glob_match(pattern.glob, metric);
  for (const Move& move : moves_)
    if (glob_match(move.glob, metric)) return find(move.policy).value_or(Metric::kNoPolicy);
  const auto first = std::find_if(policies_.begin(), policies_.end(),
                                  [metric](const Policy& policy) { return matches_any(policy.report, metric); });
  return first == policies_.end() ? Metric::kNoPolicy : static_cast<std::size_t>(first - policies_.begin());
}

Status PolicyBook::move(const std::string& glob, std::string_view policy) {
  if (glob.empty()) return Error("the pattern is empty; allowed: a glob on metric ids, such as \"ui.n.cn.*\"");
  if (!find(policy)) return unknown(policy);
  const auto same = [&glob](const Move& move) { return move.glob == glob; };
  moves_.erase(std::remove_if(moves_.begin(), moves_.end(), same), moves_.end());
  if (moves_.size() >= kMaxMoves)
    return Error("there are " + std::to_string(kMaxMoves) + " moves already; restart, or put them into the config");
  moves_.insert(moves_.begin(), Move{glob, std::string(policy)});
  return {};
}

std::vector<std::string> PolicyBook::take_warnings(Time now) {
  std::vector<std::string> warnings;
  for (Pattern& pattern : patterns_) {
    if (pattern.matched || pattern.told || now - pattern.since < kPatience) continue;
    pattern.told = true;
    warnings.push_back("policy " + pattern.policy + ": pattern " + config::in_quotes(pattern.glob) +
                       " has matched no metric for a minute");
  }
  return warnings;
}

std::optional<std::size_t> PolicyBook::find(std::string_view policy) const {
  for (std::size_t i = 0; i < policies_.size(); ++i)
    if (policies_[i].name == policy) return i;
  return std::nullopt;
}

Error PolicyBook::unknown(std::string_view policy) const {
  std::vector<std::string_view> names;
  for (const Policy& known : policies_) names.emplace_back(known.name);
  return Error("no policy has the name " + config::in_quotes(policy) + "; allowed: " +
               (names.empty() ? std::string("none, as the config has no [[policy]]") : config::joined(names)));
}

}  // namespace connscope::policy
