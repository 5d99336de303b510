// SPDX-License-Identifier: Apache-2.0
#include "agent/host/flags.h"

#include "agent/config/duration.h"

namespace connscope::host {
namespace {

Result<Filter> named(Result<Filter> filter, std::string_view name) {
  if (filter) return filter;
  return filter.error().context("--" + std::string(name));
}

}  // namespace

FlagValues::FlagValues(const std::vector<Flag>& flags, const std::vector<std::pair<std::string, std::string>>& given) {
  for (const Flag& flag : flags) fallbacks_[flag.name] = flag.fallback;
  for (const auto& [name, value] : given) given_[name] = value;
}

const std::string& FlagValues::text(std::string_view name) const {
  static const std::string kNone;
  if (const auto found = given_.find(name); found != given_.end()) return found->second;
  const auto fallback = fallbacks_.find(name);
  return fallback == fallbacks_.end() ? kNone : fallback->second;
}

Result<Filter> FlagValues::include(std::string_view name) const { return named(Filter::create(text(name), ""), name); }

Result<Filter> FlagValues::exclude(std::string_view name) const { return named(Filter::create("", text(name)), name); }

Result<Filter> FlagValues::filter(const std::string& name) const {
  const std::string including = name + "-include";
  const std::string excluding = name + "-exclude";
  if (!text(including).empty() && is_given(excluding))
    return Error("--" + including + " and --" + excluding + " cannot both be given");
  return text(including).empty() ? exclude(excluding) : include(including);
}

Result<std::chrono::milliseconds> FlagValues::duration(std::string_view name) const {
  const auto duration = config::parse_duration(text(name));
  if (duration && duration->count() > 0) return *duration;
  return Error("--" + std::string(name) + ": \"" + text(name) +
               "\" is no duration; allowed: a whole number above 0 with its unit, such as 500ms or 2s");
}

}  // namespace connscope::host
