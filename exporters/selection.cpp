// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>

#include "agent/base/glob.h"
#include "agent/metrics/names.h"
#include "exporters/encoder.h"

namespace connscope::exporters {

namespace {

bool matches_any(const std::vector<std::string>& globs, std::string_view text) {
  return std::any_of(globs.begin(), globs.end(), [text](const auto& glob) { return glob_match(glob, text); });
}

}  // namespace

bool Selection::selects_family(const metrics::FamilySnapshot& family) const {
  if (names.empty()) return true;
  const auto suffixes = metrics::sample_suffixes(family.type);
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
    return matches_any(names, family.descriptor->name + std::string(suffix));
  });
}

bool Selection::selects_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample) const {
  if (prefixes.empty()) return true;
  const auto& labels = family.descriptor->label_names;
  const auto process = std::find(labels.begin(), labels.end(), "process");
  if (process == labels.end()) return false;
  return matches_any(prefixes, (*sample.label_values)[static_cast<std::size_t>(process - labels.begin())]);
}

Selection::LeftOut Selection::left_out(const metrics::Snapshot& snapshot) const {
  LeftOut counts;
  if (names.empty() && prefixes.empty()) return counts;
  for (const auto& family : snapshot.families) {
    if (!selects_family(family)) {
      counts.by_name += family.samples.size();
      continue;
    }
    counts.by_prefix += static_cast<std::uint64_t>(
        std::count_if(family.samples.begin(), family.samples.end(),
                      [&](const metrics::Sample& sample) { return !selects_sample(family, sample); }));
  }
  return counts;
}

}  // namespace connscope::exporters
