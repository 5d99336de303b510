// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/series.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <variant>

#include "agent/metrics/metric_id.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;

json number_json(const metrics::Number& number) {
  return std::visit([](auto value) { return json(value); }, number);
}

/// JSON has no word for what is not finite, and its library writes null for it.
double bound_of(const json& bound) {
  return bound.is_null() ? std::numeric_limits<double>::infinity() : bound.get<double>();
}

json buckets_json(const metrics::HistogramValue& histogram) {
  json buckets = json::array();
  const auto& bounds = histogram.layout->bounds();
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double low = i == 0 ? std::min(0.0, bounds.empty() ? 0.0 : bounds[0]) : bounds[i - 1];
    const json high = i < bounds.size() ? json(bounds[i]) : json();
    buckets.push_back({low, high, histogram.counts[i]});
  }
  return buckets;
}

std::uint64_t count_of(const metrics::HistogramValue& histogram) {
  std::uint64_t count = 0;
  for (const std::uint64_t bucket : histogram.counts) count += bucket;
  return count;
}

json head_of(const metrics::FamilySnapshot& family, const metrics::Sample& sample) {
  json labels = json::object();
  const auto& names = family.descriptor->label_names;
  for (std::size_t i = 0; i < names.size(); ++i) labels[names[i]] = (*sample.label_values)[i];
  return {{"id", prefixed_id(family, sample)},
          {"family", family.descriptor->name},
          {"type", metrics::to_string(family.type)},
          {"unit", family.descriptor->unit},
          {"labels", std::move(labels)}};
}

/// Adds what each type of value has to say to the head of its series.
struct ValueWriter {
  json head;
  std::string family;

  std::vector<json> operator()(const metrics::UnknownValue& value) { return with_value(value.value); }
  std::vector<json> operator()(const metrics::GaugeValue& value) { return with_value(value.value); }
  std::vector<json> operator()(const metrics::CounterValue& value) { return with_value(value.total); }
  std::vector<json> operator()(const metrics::InfoValue& value) {
    for (const auto& [name, text] : value.labels) head["labels"][name] = text;
    return with_value(std::uint64_t{1});
  }
  std::vector<json> operator()(const metrics::StateSetValue& value) {
    std::vector<json> states;
    for (const auto& [name, is_set] : value.states) {
      if (!is_set) continue;
      states.push_back(head);
      states.back()["labels"][family] = name;
      states.back()["value"] = 1;
    }
    return states;
  }
  std::vector<json> operator()(const metrics::HistogramValue& value) {
    head["buckets"] = buckets_json(value);
    return with_sum(count_of(value), value.sum);
  }
  std::vector<json> operator()(const metrics::SummaryValue& value) { return with_sum(value.count, value.sum); }

  std::vector<json> with_value(const metrics::Number& number) {
    head["value"] = number_json(number);
    return {std::move(head)};
  }
  std::vector<json> with_sum(std::uint64_t count, double sum) {
    head["count"] = count;
    head["sum"] = sum;
    return {std::move(head)};
  }
};

/// A number that has a point or an exponent would be cut, and may be none that fits.
std::uint64_t read_count(const json& value) {
  if (!value.is_number_unsigned()) throw std::invalid_argument("a count is no whole number");
  return value.get<std::uint64_t>();
}

Distribution distribution_of(const json& line) {
  Distribution distribution;
  for (const json& bucket : line.value("buckets", json::array()))
    distribution.add_bucket(bucket.at(0).get<double>(), bound_of(bucket.at(1)), read_count(bucket.at(2)));
  const std::uint64_t count = read_count(line.at("count"));
  if (count > distribution.count()) distribution.add_count(count - distribution.count());
  distribution.add_sum(line.at("sum").is_null() ? 0 : line.at("sum").get<double>());
  return distribution;
}

metrics::Number number_of(const json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  return value.is_null() ? std::nan("") : value.get<double>();
}

Series read_series(const json& line) {
  Series series;
  series.id = line.at("id").get<std::string>();
  series.family = line.at("family").get<std::string>();
  series.type = line.at("type").get<std::string>();
  series.unit = line.at("unit").get<std::string>();
  for (const auto& [name, value] : line.at("labels").items())
    series.labels.emplace_back(name, value.get<std::string>());
  if (line.contains("count")) {
    series.distribution = distribution_of(line);
  } else {
    series.value = number_of(line.at("value"));
  }
  return series;
}

}  // namespace

const std::string& Series::label(const std::string& name) const {
  static const std::string kNone;
  for (const auto& [key, text] : labels)
    if (key == name) return text;
  return kNone;
}

std::string prefixed_id(const metrics::FamilySnapshot& family, const metrics::Sample& sample) {
  return metrics::metric_id(*family.descriptor, *sample.label_values).name();
}

std::vector<json> to_json(const metrics::FamilySnapshot& family, const metrics::Sample& sample) {
  return std::visit(ValueWriter{head_of(family, sample), family.descriptor->name}, sample.value);
}

Result<Series> series_of(const json& line) {
  try {
    return read_series(line);
  } catch (const std::exception& error) {
    return Error(std::string("a line of the answer is no series: ") + error.what());
  }
}

}  // namespace connscope::terminal
