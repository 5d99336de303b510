// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/series_key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/metrics/names.h"
#include "agent/metrics/utf8.h"

namespace connscope::ingest {
namespace {

// Families of the agent itself and of its host; an application that could write to them could lie for others.
constexpr std::array<std::string_view, 5> kReservedPrefixes{"conn_", "connscope_", "node_", "process_", "target_"};
constexpr std::array<std::string_view, 3> kReservedLabels{"le", "quantile", "process"};

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_name_character(char c) { return is_letter_or_digit(c) || c == '_'; }

std::string legal_name(std::string_view sent) {
  std::string name;
  name.reserve(sent.size() + 1);
  if (sent.front() >= '0' && sent.front() <= '9') name += '_';
  for (const char c : sent) name += is_name_character(c) ? c : '_';
  return name;
}

/// As sent, without empty parts; what may not stand in an id becomes '_'.
std::string legal_id(std::string_view sent) {
  std::string id;
  while (!sent.empty()) {
    const std::string_view part = take_until(sent, '.');
    if (part.empty()) continue;
    if (!id.empty()) id += '.';
    for (const char c : part) id += is_name_character(c) || c == '-' || c == '/' ? c : '_';
  }
  return id;
}

bool take_suffix(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.resize(name.size() - suffix.size());
  return true;
}

std::optional<Refusal> set_family(const Line& line, SeriesKey& key) {
  const bool legible = std::all_of(line.name.begin(), line.name.end(), is_printable) &&
                       std::any_of(line.name.begin(), line.name.end(), is_letter_or_digit);
  if (line.name.size() > kMaxNameBytes || !legible) return Refusal::kBadName;
  key.id = legal_id(line.name);
  key.family = legal_name(line.name);
  if (line.kind == Kind::kCounter) take_suffix(key.family, "_total");
  if (line.kind == Kind::kTimer && !take_suffix(key.family, "_ms")) take_suffix(key.family, "_seconds");
  if (key.family.empty()) return Refusal::kBadName;
  if (line.kind == Kind::kTimer) key.family += "_seconds";
  for (const std::string_view unit : {"seconds", "bytes"})
    if (key.family.ends_with("_" + std::string(unit)) && key.family.size() > unit.size() + 1) key.unit = unit;
  const bool reserved = std::any_of(kReservedPrefixes.begin(), kReservedPrefixes.end(),
                                    [&](std::string_view prefix) { return key.family.starts_with(prefix); });
  return reserved ? std::optional(Refusal::kReservedName) : std::nullopt;
}

std::optional<Refusal> add_label(std::string_view tag, metrics::Labels& labels) {
  std::string_view value = tag;
  const std::string_view sent = take_until(value, ':');
  if (sent.size() == tag.size()) value = "true";
  if (sent.empty() || !metrics::is_utf8(tag)) return Refusal::kBadTag;
  std::string name = metrics::legal_label_name(sent);
  const bool reserved = sent.starts_with("__") ||
                        std::find(kReservedLabels.begin(), kReservedLabels.end(), name) != kReservedLabels.end();
  if (reserved) return Refusal::kReservedLabel;
  if (!value.empty()) labels.emplace_back(std::move(name), value);
  return std::nullopt;
}

std::optional<Refusal> set_labels(std::string_view tags, metrics::Labels& labels) {
  if (tags.size() > kMaxTagBytes) return Refusal::kBadTag;
  while (!tags.empty()) {
    const std::string_view tag = take_until(tags, ',');
    if (tag.empty()) continue;
    if (labels.size() == kMaxTags) return Refusal::kBadTag;
    if (auto refused = add_label(tag, labels)) return refused;
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  const auto twice =
      std::adjacent_find(labels.begin(), labels.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  return twice == labels.end() ? std::nullopt : std::optional(Refusal::kBadTag);
}

}  // namespace

std::optional<Refusal> make_series_key(const Line& line, SeriesKey& key) {
  key.sent_name = line.name;
  key.kind = line.kind;
  if (line.name == kLostLinesName && line.kind == Kind::kCounter) {
    key.family = kLostLinesFamily;
    return std::nullopt;
  }
  if (auto refused = set_family(line, key)) return refused;
  return set_labels(line.tags, key.labels);
}

}  // namespace connscope::ingest
