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

bool is_among(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The value of the label; nothing when the family lacks it.
const std::string* label_of(const metrics::FamilySnapshot& family, const metrics::Sample& sample,
                            std::string_view label) {
  const auto& labels = family.descriptor->label_names;
  const auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? nullptr : &(*sample.label_values)[static_cast<std::size_t>(found - labels.begin())];
}

}  // namespace

bool Selection::selects_collector(const metrics::FamilySnapshot& family) const {
  const std::string& collector = family.descriptor->collector;
  if (is_among(without_collectors, collector)) return false;
  if (collectors.empty() || is_among(collectors, collector)) return true;
  return collector.empty() && is_among(family.descriptor->label_names, "collector");  // its series will say
}

bool Selection::selects_family(const metrics::FamilySnapshot& family) const {
  if (!selects_collector(family)) return false;
  if (names.empty()) return true;
  const auto suffixes = metrics::sample_suffixes(family.type);
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
    return matches_any(names, family.descriptor->name + std::string(suffix));
  });
}

bool Selection::selects_collector(const metrics::FamilySnapshot& family, const metrics::Sample& sample) const {
  if (collectors.empty() && without_collectors.empty()) return true;
  const std::string* collector = label_of(family, sample, "collector");
  if (collector == nullptr) return true;
  return !is_among(without_collectors, *collector) && (collectors.empty() || is_among(collectors, *collector));
}

bool Selection::selects_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample) const {
  if (!selects_collector(family, sample)) return false;
  if (prefixes.empty()) return true;
  const std::string* process = label_of(family, sample, "process");
  return process != nullptr && matches_any(prefixes, *process);
}

Selection::LeftOut Selection::left_out(const metrics::Snapshot& snapshot) const {
  LeftOut counts;
  if (names.empty() && prefixes.empty()) return counts;
  for (const auto& family : snapshot.families) {
    if (!selects_collector(family)) continue;
    if (!selects_family(family)) {
      counts.by_name += family.samples.size();
      continue;
    }
    counts.by_prefix += static_cast<std::uint64_t>(
        std::count_if(family.samples.begin(), family.samples.end(), [&](const metrics::Sample& sample) {
          return selects_collector(family, sample) && !selects_sample(family, sample);
        }));
  }
  return counts;
}

}  // namespace connscope::exporters
