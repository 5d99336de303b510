// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/gatherer.h"

#include <algorithm>
#include <utility>

namespace connscope::policy {
namespace {

using metrics::FamilySnapshot;
using metrics::MetricType;

bool has_reading(MetricType type) {
  return type == MetricType::kCounter || type == MetricType::kGauge || type == MetricType::kUnknown ||
         type == MetricType::kHistogram || type == MetricType::kSummary;
}

/// Takes the tag out of the id; its value, empty when there is none.
std::string take(metrics::Labels& tags, std::string_view name) {
  const auto tag = std::find_if(tags.begin(), tags.end(), [name](const auto& label) { return label.first == name; });
  if (tag == tags.end()) return {};
  std::string value = std::move(tag->second);
  tags.erase(tag);
  return value;
}

bool has_label(const metrics::FamilyDescriptor& descriptor, std::string_view name) {
  const auto& names = descriptor.label_names;
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A counter of failures: each of its reasons is a bucket.
bool has_outcomes(const FamilySnapshot& family) {
  return family.type == MetricType::kCounter && has_label(*family.descriptor, "stage") &&
         has_label(*family.descriptor, "reason");
}

/// A histogram whose series are go and no-go.
bool has_sides(const FamilySnapshot& family) {
  return (family.type == MetricType::kHistogram || family.type == MetricType::kSummary) &&
         has_label(*family.descriptor, "outcome");
}

/// Takes those tags out that tell series of one metric apart.
SeriesRole take_role(const FamilySnapshot& family, metrics::MetricId& id) {
  SeriesRole role;
  role.external = family.descriptor->external;
  if (has_outcomes(family)) {
    role.outcome = take(id.tags, "stage");
    role.outcome += '/';
    role.outcome += take(id.tags, "reason");
  } else if (has_sides(family)) {
    role.ok = take(id.tags, "outcome") == "ok";
    take(id.tags, "stage");  // of an attempt: in what it failed
  }
  return role;
}

metrics::Reading first_reading(const FamilySnapshot& family, metrics::WallTime start) {
  switch (family.type) {
    case MetricType::kHistogram:
    case MetricType::kSummary:
      return metrics::Distribution(start);
    case MetricType::kCounter:
      if (has_outcomes(family)) return metrics::OutcomeHistogram();
      return metrics::Sum();
    default:
      return metrics::Level();
  }
}

/// With separators that no UTF-8 text of a label has.
std::string key_of(const metrics::MetricId& id, const std::string& family) {
  std::string key = id.name();
  for (const auto& [name, value] : id.tags) key.append("\xff").append(name).append("\xfe").append(value);
  return key.append("\xfd").append(family);
}

}  // namespace

bool Gatherer::is_gathered(const FamilySnapshot& family) const {
  return has_reading(family.type) && (gathers_host_ || family.descriptor->collector.empty());
}

void Gatherer::observe(const metrics::SnapshotPtr& snapshot) {
  if (snapshot == previous_) return;
  ++round_;
  for (const FamilySnapshot& family : snapshot->families)
    if (is_gathered(family)) observe_family(family);
  previous_ = snapshot;
  last_seen_at_ = snapshot->taken_at;
}

void Gatherer::observe_family(const FamilySnapshot& snapshot) {
  Family& family = families_[snapshot.descriptor->name];
  if (family.descriptor != snapshot.descriptor) carry_over(family, snapshot);
  for (const metrics::Sample& sample : snapshot.samples) {
    Series& series = series_of(family, snapshot, sample);
    if (add_news(series.before, sample.value, series.role, series.metric->period)) series.metric->has_news = true;
    series.before = &sample.value;
    series.seen_in = round_;
  }
  if (family.series.size() != snapshot.samples.size()) drop_vanished_series(family);
}

/// The family has got more labels, which are empty in the series that were there: these are the same series still.
void Gatherer::carry_over(Family& family, const FamilySnapshot& snapshot) {
  family.descriptor = snapshot.descriptor;
  if (family.series.empty()) return;
  const std::size_t labels = snapshot.descriptor->label_names.size();
  std::map<std::vector<std::string>, Series> known;
  for (auto& [address, series] : family.series) {
    std::vector<std::string> values = *series.values;
    values.resize(labels);
    known.emplace(std::move(values), std::move(series));
  }
  family.series.clear();
  for (const metrics::Sample& sample : snapshot.samples) {
    auto same = known.extract(*sample.label_values);
    if (same.empty()) continue;
    same.mapped().values = sample.label_values;
    family.series.emplace(sample.label_values.get(), std::move(same.mapped()));
  }
  for (auto& [values, series] : known) --series.metric->series;
}

Gatherer::Series& Gatherer::series_of(Family& family, const FamilySnapshot& snapshot, const metrics::Sample& sample) {
  const auto known = family.series.find(sample.label_values.get());
  if (known != family.series.end()) return known->second;
  Series series;
  series.values = sample.label_values;
  metrics::MetricId id = metrics::metric_id(*snapshot.descriptor, *sample.label_values);
  series.role = take_role(snapshot, id);
  series.metric = &metric_of(snapshot, std::move(id));
  ++series.metric->series;
  return family.series.emplace(sample.label_values.get(), std::move(series)).first->second;
}

Metric& Gatherer::metric_of(const FamilySnapshot& snapshot, metrics::MetricId id) {
  std::string key = key_of(id, snapshot.descriptor->name);
  const auto known = metrics_.find(key);
  if (known != metrics_.end()) return known->second;
  Metric metric;
  metric.descriptor = snapshot.descriptor;
  metric.name = id.name();
  metric.id = std::move(id);
  metric.start = metric.first_start = last_seen_at_;
  metric.period = first_reading(snapshot, last_seen_at_);
  Metric& made = metrics_.emplace(std::move(key), std::move(metric)).first->second;
  on_new_(made);
  return made;
}

void Gatherer::drop_vanished_series(Family& family) const {
  for (auto series = family.series.begin(); series != family.series.end();) {
    if (series->second.seen_in == round_) {
      ++series;
      continue;
    }
    --series->second.metric->series;
    series = family.series.erase(series);
  }
}

void Gatherer::forget_gone() {
  for (auto metric = metrics_.begin(); metric != metrics_.end();) {
    const Metric& m = metric->second;
    const bool is_done = m.series == 0 && (!m.has_news || m.policy == Metric::kNoPolicy);
    metric = is_done ? metrics_.erase(metric) : std::next(metric);
  }
}

}  // namespace connscope::policy
