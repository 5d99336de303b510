// SPDX-License-Identifier: Apache-2.0
//
// Series: the live cells behind one label set of a family, one class a metric type. A caller gets a pointer to one from
// Family<S>::with once, keeps it, and updates it without look-ups. Owned by the family, valid until the family removes
// it. The collecting thread only: no locks here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

class Counter {
 public:
  static constexpr MetricType kType = MetricType::kCounter;
  explicit Counter(WallTime created) : created_(created) {}

  void add(std::uint64_t step) { total_ = metrics::add(total_, Number(step)); }
  /// False, and nothing changed, when the step is negative or NaN: counters never fall.
  [[nodiscard]] bool add(double step);
  /// For counters that something else keeps (the kernel's): the new total. A fall is taken as a restart from zero
  /// there, so that our total goes on rising.
  void follow(std::uint64_t external_total);
  [[nodiscard]] Number total() const { return total_; }
  [[nodiscard]] CounterValue value() const { return {total_, created_}; }

 private:
  Number total_ = std::uint64_t{0};
  std::uint64_t followed_ = 0;
  WallTime created_;
};

class Gauge {
 public:
  static constexpr MetricType kType = MetricType::kGauge;
  explicit Gauge(WallTime /*created*/) {}

  void set(Number value) { value_ = value; }
  [[nodiscard]] GaugeValue value() const { return {value_}; }

 private:
  Number value_ = std::uint64_t{0};
};

class Unknown {
 public:
  static constexpr MetricType kType = MetricType::kUnknown;
  explicit Unknown(WallTime /*created*/) {}

  void set(Number value) { value_ = value; }
  [[nodiscard]] UnknownValue value() const { return {value_}; }

 private:
  Number value_ = std::uint64_t{0};
};

/// Shared by Histogram and GaugeHistogram: bucket counts that are not cumulative, and a sum.
class HistogramCells {
 public:
  HistogramCells(BucketLayout::Ptr layout, WallTime created);

  void observe(double value) { add(layout_->bucket_of(value), 1, value); }
  /// `count` events that fell into `bucket` (an index of the layout; one beyond it counts for the last) and whose
  /// values add up to `sum`.
  void add(std::size_t bucket, std::uint64_t count, double sum);
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] HistogramValue value() const { return {layout_, counts_, sum_, created_}; }

 protected:
  BucketLayout::Ptr layout_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
  WallTime created_;
};

class Histogram : public HistogramCells {
 public:
  static constexpr MetricType kType = MetricType::kHistogram;
  using HistogramCells::HistogramCells;
};

/// A distribution of current state, which can fall: set as a whole.
class GaugeHistogram : public HistogramCells {
 public:
  static constexpr MetricType kType = MetricType::kGaugeHistogram;
  using HistogramCells::HistogramCells;

  void clear();
};

class Summary {
 public:
  static constexpr MetricType kType = MetricType::kSummary;
  explicit Summary(WallTime created) : created_(created) {}

  void observe(double value);
  /// Quantiles are computed by the caller, who knows its window.
  void set_quantiles(std::vector<std::pair<double, double>> quantiles) { quantiles_ = std::move(quantiles); }
  [[nodiscard]] SummaryValue value() const { return {quantiles_, count_, sum_, created_}; }

 private:
  std::vector<std::pair<double, double>> quantiles_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  WallTime created_;
};

class Info {
 public:
  static constexpr MetricType kType = MetricType::kInfo;
  explicit Info(WallTime /*created*/) {}

  /// Names that OpenMetrics does not allow are made legal; of two that are then the same the first stays.
  void set(const Labels& labels);
  [[nodiscard]] InfoValue value() const { return {labels_}; }

 private:
  Labels labels_;
};

class StateSet {
 public:
  static constexpr MetricType kType = MetricType::kStateSet;
  explicit StateSet(WallTime /*created*/) {}

  void set(std::string_view state, bool on);
  [[nodiscard]] StateSetValue value() const { return {states_}; }

 private:
  std::vector<std::pair<std::string, bool>> states_;
};

}  // namespace connscope::metrics
