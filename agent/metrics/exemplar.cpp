// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exemplar.h"

#include <algorithm>

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

std::span<const PlacedExemplar> exemplars_of(const FamilySnapshot& family, const Sample& sample) {
  const auto& all = family.exemplars;
  if (all.empty()) return {};
  const auto index = static_cast<std::size_t>(&sample - family.samples.data());
  const auto first =
      std::partition_point(all.begin(), all.end(), [index](const auto& placed) { return placed.sample < index; });
  const auto last =
      std::partition_point(first, all.end(), [index](const auto& placed) { return placed.sample == index; });
  return {first, last};
}

}  // namespace connscope::metrics
