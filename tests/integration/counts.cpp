// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/counts.h"

namespace connscope::testing {
namespace {

std::string value_of(const ExposedSample& sample, const std::string& label) {
  const auto found = sample.labels.find(label);
  return found == sample.labels.end() ? std::string() : found->second;
}

}  // namespace

double total(const Counts& counts) {
  double sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

Counts times(const Counts& counts, int factor) {
  Counts more;
  for (const auto& [key, count] : counts) more[key] = count * factor;
  return more;
}

Counts difference(const Counts& after, const Counts& before) {
  Counts more = after;
  for (const auto& [key, count] : before)
    if ((more[key] -= count) == 0) more.erase(key);
  return more;
}

Counts grouped(const Exposition& shown, const std::string& name, const LabelMap& labels,
               const std::vector<std::string>& by) {
  Counts counts;
  for (const ExposedSample& sample : shown.samples()) {
    if (sample.name != name || sample.value == 0) continue;
    bool matches = true;
    for (const auto& [label, value] : labels) matches = matches && value_of(sample, label) == value;
    if (!matches) continue;
    std::string key;
    for (const std::string& label : by) key += (key.empty() ? "" : " ") + value_of(sample, label);
    counts[key] += sample.value;
  }
  return counts;
}

}  // namespace connscope::testing
