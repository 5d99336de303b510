// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exemplar.h"

#include <algorithm>
#include <utility>

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

ExemplarNews::ExemplarNews(const Snapshot* before, const FamilySnapshot& family) : family_(&family) {
  if (family.exemplars.empty() || before == nullptr) return;
  const auto is_same_family = [&](const auto& other) { return other.descriptor->name == family.descriptor->name; };
  const auto known = std::find_if(before->families.begin(), before->families.end(), is_same_family);
  if (known == before->families.end()) return;
  for (const PlacedExemplar& placed : known->exemplars)
    known_[known->samples[placed.sample].label_values.get()][placed.bucket] = time_of(placed);
}

ExemplarNews::Milliseconds ExemplarNews::time_of(const PlacedExemplar& placed) {
  return std::chrono::floor<std::chrono::milliseconds>(placed.exemplar->time);
}

std::vector<PlacedExemplar> ExemplarNews::all_of(const Sample& sample) const {
  if (family_ == nullptr) return {};
  const auto all = exemplars_of(*family_, sample);
  return {all.begin(), all.end()};
}

std::vector<PlacedExemplar> ExemplarNews::of_buckets(const Sample& sample) const {
  std::vector<PlacedExemplar> news = all_of(sample);
  const auto known = known_.find(sample.label_values.get());
  if (known == known_.end()) return news;
  std::erase_if(news, [&](const PlacedExemplar& placed) {
    const auto in_bucket = known->second.find(placed.bucket);
    return in_bucket != known->second.end() && in_bucket->second >= time_of(placed);
  });
  return news;
}

std::vector<PlacedExemplar> ExemplarNews::of_series(const Sample& sample) const {
  std::vector<PlacedExemplar> by_time = all_of(sample);
  std::stable_sort(by_time.begin(), by_time.end(),
                   [](const auto& a, const auto& b) { return time_of(a) < time_of(b); });
  auto last = Milliseconds::min();
  if (const auto known = known_.find(sample.label_values.get()); known != known_.end())
    for (const auto& [bucket, time] : known->second) last = std::max(last, time);
  std::vector<PlacedExemplar> news;
  for (PlacedExemplar& placed : by_time) {
    if (time_of(placed) <= last) continue;
    last = time_of(placed);
    news.push_back(std::move(placed));
  }
  return news;
}

}  // namespace connscope::metrics
