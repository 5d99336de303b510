// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/policy.h"

#include <algorithm>

#include "agent/config/message.h"

namespace connscope::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string parse_name(const config::Section& section, const std::vector<Policy>& before) {
  std::string name = section.text("name", "");
  if (!section.has("name"))
    section.fail("has no name; allowed: name = \"letters, digits, _ and -\"");
  else if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character))
    section.fail("name", config::in_quotes(name) + " is no name of a policy; allowed: letters, digits, _ and -");
  else if (std::any_of(before.begin(), before.end(), [&name](const Policy& other) { return other.name == name; }))
    section.fail("name", config::in_quotes(name) + " is the name of a policy above; allowed: each name once");
  return name;
}

std::vector<std::string> parse_globs(const config::Section& section) {
  std::vector<std::string> globs = section.texts("report");
  if (globs.empty()) section.fail("report", "has no pattern; allowed: globs on metric ids, such as \"*.n.cn.*\"");
  for (const auto& glob : globs)
    if (glob.empty())
      section.fail("report", "has an empty pattern; allowed: globs on metric ids, such as \"*.n.cn.*\"");
  return globs;
}

std::vector<std::string> parse_exporters(const config::Section& section,
                                         const std::vector<std::string_view>& exporters) {
  std::vector<std::string> names = section.texts("to");
  if (names.empty()) section.fail("to", "has no exporter; allowed: " + config::joined(exporters));
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(exporters.begin(), exporters.end(), *name) == exporters.end()) {
      const std::string_view near = config::nearest(*name, exporters);
      section.fail("to", config::in_quotes(*name) + " is no exporter" +
                             (near.empty() ? "" : " (did you mean " + std::string(near) + "?)") +
                             "; allowed: " + config::joined(exporters));
    } else if (std::find(names.begin(), name, *name) != name) {
      section.fail("to", config::in_quotes(*name) + " is there twice; allowed: each exporter once");
    }
  }
  return names;
}

std::optional<OutlierRule> parse_outliers(const config::Section& section) {
  if (!section.has("outliers")) return std::nullopt;
  const config::Section outliers = section.table("outliers");
  OutlierRule rule;
  if (!outliers.has("percent"))
    section.fail("outliers", "has no percent; allowed: percent = a number from 1 to 1000000");
  rule.percent = outliers.number("percent", 100, 1, 1e6);
  rule.min_samples = static_cast<std::uint64_t>(outliers.integer("min_samples", 20, 1, 1'000'000));
  rule.keep = static_cast<std::size_t>(outliers.integer("keep", 10, 0, 1000));
  rule.at_once = outliers.flag("at_once", false);
  return rule;
}

}  // namespace

std::vector<Policy> parse_policies(const config::Section& root, const std::vector<std::string_view>& exporters) {
  std::vector<Policy> policies;
  for (const config::Section& section : root.tables("policy")) {
    Policy policy;
    policy.name = parse_name(section, policies);
    if (!section.has("interval"))
      section.fail("has no interval; allowed: interval = \"30s\" and the like, or \"manual\"");
    policy.interval = section.duration_or("manual", "interval", 30s, 100ms, 24h);
    policy.report = parse_globs(section);
    policy.to = parse_exporters(section, exporters);
    policy.inactivity = section.flag("inactivity", false);
    policy.at_start = section.flag("at_start", false);
    policy.at_stop = section.flag("at_stop", true);
    policy.outliers = parse_outliers(section);
    policies.push_back(std::move(policy));
  }
  return policies;
}

}  // namespace connscope::policy
