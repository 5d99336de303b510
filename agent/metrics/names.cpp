// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/names.h"

#include <algorithm>
#include <array>

namespace connscope::metrics {

namespace {

// Not std::isalpha: names are ASCII whatever the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool is_metric_name(std::string_view name) {
  if (name.empty() || is_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

bool is_label_name(std::string_view name) {
  return is_metric_name(name) && name.find(':') == std::string_view::npos && name.substr(0, 2) != "__";
}

bool is_reserved_label(std::string_view label, MetricType type) {
  const bool has_buckets = type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
  return (label == "le" && has_buckets) || (label == "quantile" && type == MetricType::kSummary);
}

std::string legal_label_name(std::string_view name) {
  std::string legal;
  for (const char c : name) legal += is_letter(c) || is_digit(c) ? c : '_';
  if (legal.empty() || is_digit(legal.front())) legal.insert(legal.begin(), '_');
  const std::size_t first = std::min(legal.find_first_not_of('_'), legal.size());
  if (first > 1) legal.erase(0, first - 1);
  return legal;
}

std::span<const std::string_view> sample_suffixes(MetricType type) {
  static constexpr std::array<std::string_view, 1> kBare = {""};
  static constexpr std::array<std::string_view, 3> kCounter = {"", "_total", "_created"};
  static constexpr std::array<std::string_view, 2> kInfo = {"", "_info"};
  static constexpr std::array<std::string_view, 5> kHistogram = {"", "_bucket", "_count", "_sum", "_created"};
  static constexpr std::array<std::string_view, 6> kGaugeHistogram = {"",      "_bucket", "_gcount",
                                                                      "_gsum", "_count",  "_sum"};
  static constexpr std::array<std::string_view, 4> kSummary = {"", "_count", "_sum", "_created"};
  switch (type) {
    case MetricType::kCounter:
      return kCounter;
    case MetricType::kInfo:
      return kInfo;
    case MetricType::kHistogram:
      return kHistogram;
    case MetricType::kGaugeHistogram:
      return kGaugeHistogram;
    case MetricType::kSummary:
      return kSummary;
    case MetricType::kUnknown:
    case MetricType::kGauge:
    case MetricType::kStateSet:
      break;
  }
  return kBare;
}

}  // namespace connscope::metrics
