// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exemplar.h"

#include <algorithm>
#include <set>

namespace connscope::metrics {
namespace {

/// All bytes but those that go on with a character.
std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

void add_exemplar_label(std::string_view name, const std::string& value, Labels& labels) {
  if (value.empty()) return;
  std::size_t text = characters(name) + characters(value);
  for (const auto& [other, its_value] : labels) text += characters(other) + characters(its_value);
  if (text <= kMaxExemplarText) labels.emplace_back(name, value);
}

std::span<const PlacedExemplar> exemplars_of(std::span<const PlacedExemplar> all, std::size_t sample) {
  if (all.empty()) return {};
  const auto first =
      std::partition_point(all.begin(), all.end(), [sample](const auto& placed) { return placed.sample < sample; });
  const auto last =
      std::partition_point(first, all.end(), [sample](const auto& placed) { return placed.sample == sample; });
  return {first, last};
}

std::span<const PlacedExemplar> exemplars_of(const FamilySnapshot& family, const Sample& sample) {
  return exemplars_of(family.exemplars, static_cast<std::size_t>(&sample - family.samples.data()));
}

std::vector<PlacedExemplar> new_exemplars(const Snapshot* before, const FamilySnapshot& family) {
  std::vector<PlacedExemplar> fresh = family.exemplars;
  if (fresh.empty() || before == nullptr) return fresh;
  const auto is_same_family = [&](const auto& other) { return other.descriptor->name == family.descriptor->name; };
  const auto old = std::find_if(before->families.begin(), before->families.end(), is_same_family);
  if (old == before->families.end()) return fresh;
  std::set<const Exemplar*> told;
  for (const PlacedExemplar& placed : old->exemplars) told.insert(placed.exemplar.get());
  std::erase_if(fresh, [&](const PlacedExemplar& placed) { return told.count(placed.exemplar.get()) != 0; });
  return fresh;
}

}  // namespace connscope::metrics
