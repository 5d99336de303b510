// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/line.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace connscope::ingest {
namespace {

std::optional<Kind> kind_of(std::string_view type) {
  if (type == "c") return Kind::kCounter;
  if (type == "g") return Kind::kGauge;
  if (type == "ms") return Kind::kTimer;
  if (type == "h") return Kind::kHistogram;
  if (type == "d") return Kind::kDistribution;
  if (type == "s") return Kind::kSet;
  return std::nullopt;
}

std::optional<Refusal> parse_rate(std::string_view text, double& rate) {
  const auto value = parse_value(text);
  if (!value || value->number < kMinRate || value->number > 1) return Refusal::kBadRate;
  rate = value->number;
  return std::nullopt;
}

/// One of the fields after the type.
std::optional<Refusal> parse_field(std::string_view field, Line& line) {
  if (field.starts_with('@')) return parse_rate(field.substr(1), line.rate);
  if (field.starts_with('#')) {
    line.tags = field.substr(1);
    return std::nullopt;
  }
  if (field.starts_with('T')) return Refusal::kUnsupported;
  const bool says_nothing = field.starts_with("c:") || field.starts_with("e:") || field.starts_with("card:");
  return says_nothing ? std::nullopt : std::optional(Refusal::kMalformed);
}

}  // namespace

const char* to_string(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kTimer:
      return "timer";
    case Kind::kHistogram:
      return "histogram";
    case Kind::kDistribution:
      return "distribution";
    case Kind::kSet:
      break;
  }
  return "set";
}

std::optional<Refusal> parse_line(std::string_view text, Line& line) {
  if (text.starts_with("_e{") || text.starts_with("_sc|")) return Refusal::kUnsupported;
  std::string_view rest = text;
  std::string_view values = take_until(rest, '|');
  line = Line{};
  line.name = take_until(values, ':');
  line.values = values;
  if (line.name.empty() || values.empty()) return Refusal::kMalformed;
  const std::string_view type = take_until(rest, '|');
  if (type.empty()) return Refusal::kMalformed;
  const auto kind = kind_of(type);
  if (!kind) return Refusal::kBadType;
  line.kind = *kind;
  while (!rest.empty())
    if (auto refused = parse_field(take_until(rest, '|'), line)) return refused;
  return std::nullopt;
}

std::optional<Value> parse_value(std::string_view text) {
  if (const auto number = parse_short(text)) return Value{*number, false};
  Value value;
  value.is_signed = text.starts_with('+') || text.starts_with('-');
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value.number);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const bool in_range = std::abs(value.number) <= kMaxValue;  // which NaN is not
  return in_range ? std::optional(value) : std::nullopt;
}

}  // namespace connscope::ingest
