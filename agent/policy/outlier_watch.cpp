// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/outlier_watch.h"

#include <algorithm>

namespace connscope::policy {
namespace {

std::optional<double> mean_of(std::uint64_t samples, double sum) {
  if (samples == 0) return std::nullopt;
  return sum / static_cast<double>(samples);
}

OutlierBounds bounds_around(double mean, double percent) {
  const double distance = mean * percent / 100;
  return {std::max(0.0, mean - distance), mean + distance, mean};
}

}  // namespace

void OutlierWatch::update(const Gatherer::Metrics& metrics, const std::vector<Policy>& policies) {
  sum_up(metrics, policies);
  for (auto entry = baselines_.begin(); entry != baselines_.end();) {
    auto& [key, baseline] = *entry;
    if (baseline.is_current) {
      tell(key, baseline, *policies[baseline.policy].outliers);
      ++entry;
      continue;
    }
    if (baseline.told) on_bounds_(key, std::nullopt);
    entry = baselines_.erase(entry);
  }
}

void OutlierWatch::sum_up(const Gatherer::Metrics& metrics, const std::vector<Policy>& policies) {
  for (auto& [key, baseline] : baselines_) {
    baseline.samples = 0;
    baseline.sum = 0;
    baseline.is_current = false;
  }
  for (const auto& [name, metric] : metrics) {
    const auto* distribution = std::get_if<metrics::Distribution>(&metric.period);
    if (distribution == nullptr || metric.policy == Metric::kNoPolicy || !policies[metric.policy].outliers ||
        metric.descriptor->unit != "seconds")
      continue;
    Baseline& baseline = baselines_[{metric.id.prefix, metric.id.id}];
    baseline.policy = metric.policy;
    baseline.is_current = true;
    baseline.samples += distribution->aggregate.go().count;
    baseline.sum += distribution->aggregate.go().sum;
  }
}

void OutlierWatch::tell(const Key& key, Baseline& baseline, const OutlierRule& rule) {
  const auto mean = baseline.samples >= rule.min_samples ? mean_of(baseline.samples, baseline.sum) : baseline.last_mean;
  if (!mean) return;
  if (baseline.samples >= rule.min_samples) baseline.last_mean = mean;
  const OutlierBounds bounds = bounds_around(*mean, rule.percent);
  if (baseline.told == bounds) return;
  baseline.told = bounds;
  on_bounds_(key, bounds);
}

void OutlierQueue::add(metrics::Outlier outlier, std::size_t keep) {
  if (kept_.size() < keep) {
    kept_.push_back(std::move(outlier));
  } else {
    ++left_out_;
  }
}

bool OutlierQueue::may_send(std::size_t keep) {
  const bool has_room = sent_ < keep;
  if (has_room) {
    ++sent_;
  } else {
    ++left_out_;
  }
  return has_room;
}

void OutlierQueue::take_into(metrics::Report& report) {
  report.outliers = std::move(kept_);
  report.outliers_left_out = left_out_;
  kept_.clear();
  sent_ = 0;
  left_out_ = 0;
}

}  // namespace connscope::policy
