// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/series.h"

#include <algorithm>
#include <numeric>

#include "agent/metrics/names.h"

namespace connscope::metrics {

bool Counter::add(double step) {
  if (!(step >= 0)) return false;  // NaN fails this too
  total_ = metrics::add(total_, Number(step));
  return true;
}

void Counter::follow(std::uint64_t external_total) {
  const bool restarted = external_total < followed_;
  add(restarted ? external_total : external_total - followed_);
  followed_ = external_total;
}

HistogramCells::HistogramCells(BucketLayout::Ptr layout, WallTime created)
    : layout_(std::move(layout)), counts_(layout_->bucket_count(), 0), created_(created) {}

void HistogramCells::add(std::size_t bucket, std::uint64_t count, double sum) {
  // Indices come out of kernel maps: one that is out of range is a value above all bounds, not a crash.
  counts_[std::min(bucket, counts_.size() - 1)] += count;
  sum_ += sum;
}

std::uint64_t HistogramCells::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

void GaugeHistogram::clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  sum_ = 0;
}

void Summary::observe(double value) {
  ++count_;
  sum_ += value;
}

void Info::set(const Labels& labels) {
  labels_.clear();
  for (const auto& [name, value] : labels) {
    std::string legal = legal_label_name(name);
    const auto same = [&legal](const auto& label) { return label.first == legal; };
    if (std::none_of(labels_.begin(), labels_.end(), same)) labels_.emplace_back(std::move(legal), value);
  }
}

void StateSet::set(std::string_view state, bool on) {
  for (auto& [name, is_on] : states_) {
    if (name != state) continue;
    is_on = on;
    return;
  }
  states_.emplace_back(state, on);
}

}  // namespace connscope::metrics
