// SPDX-License-Identifier: Apache-2.0
//
// Family<S>: one metric family and its series of type S. Made by Registry, which owns it. The collecting thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/series.h"
#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// What all families of one registry share: the clock of `_created`, and the budget of series (FEATURES D17, L28).
struct RegistryLimits {
  std::size_t series = 20000;
  std::function<WallTime()> now = std::chrono::system_clock::now;
};

/// Counts the series of a registry and says when a new one must be folded.
class SeriesBudget {
 public:
  explicit SeriesBudget(std::size_t limit) : limit_(limit) {}
  [[nodiscard]] bool spent() const { return used_ >= limit_; }
  void set_limit(std::size_t limit) { limit_ = limit; }
  void take() { ++used_; }
  void give_back() { --used_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  void count_fold(const std::string& label) { ++folds_[label]; }
  /// How often a series was asked for and the folded one given instead, by the label that became "other".
  [[nodiscard]] const std::map<std::string, std::uint64_t>& folds() const { return folds_; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
  std::map<std::string, std::uint64_t> folds_;
};

/// The value that stands for all that a limit folds together.
inline constexpr const char* kOther = "other";

class FamilyBase {
 public:
  FamilyBase(FamilyDescriptor descriptor, MetricType type)
      : descriptor_(std::make_shared<const FamilyDescriptor>(std::move(descriptor))), type_(type) {}
  virtual ~FamilyBase() = default;
  FamilyBase(const FamilyBase&) = delete;
  FamilyBase& operator=(const FamilyBase&) = delete;

  [[nodiscard]] const FamilyDescriptor& descriptor() const { return *descriptor_; }
  [[nodiscard]] MetricType type() const { return type_; }
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual FamilySnapshot snapshot() const = 0;
  [[nodiscard]] FamilySnapshot outline() const { return {descriptor_, type_, {}}; }
  /// Forgets one series; pointers to it become invalid. True when it was there.
  virtual bool remove(const std::vector<std::string>& values) = 0;
  /// Appends a label, which is empty for the series that are there; pointers to them stay valid. For families whose
  /// labels are not known beforehand, as applications choose them. Refused as Registry refuses it.
  virtual Status add_label(const std::string& name) = 0;
  /// The layout of a histogram family; nullptr for the other types.
  [[nodiscard]] virtual const BucketLayout* layout() const = 0;

 protected:
  /// Whether `name` may be a further label; if so, the descriptor has it from now on.
  Status describe_label(const std::string& name);
  /// An error that names the family, the number of its labels and the number given; or the label that is not UTF-8.
  [[nodiscard]] Status check_values(const std::vector<std::string>& values) const;
  /// The values of `labels` in the family's order; an error unless each of its names is there once and no other.
  [[nodiscard]] Result<std::vector<std::string>> ordered(const Labels& labels) const;
  /// `values` with the fold label's value replaced by "other".
  [[nodiscard]] std::vector<std::string> folded(std::vector<std::string> values) const;

  std::shared_ptr<const FamilyDescriptor> descriptor_;
  MetricType type_;
};

template <class S>
class Family final : public FamilyBase {
 public:
  Family(FamilyDescriptor descriptor, BucketLayout::Ptr layout, std::shared_ptr<SeriesBudget> budget,
         std::function<WallTime()> now);

  /// The series for these label values (one a label name, in order), made on first use. A wrong number of values is
  /// an error and makes nothing (FEATURES P1). When the budget is spent and the family can fold, the series is the one
  /// whose fold label is "other", so that sums are preserved.
  Result<S*> with(const std::vector<std::string>& values);
  /// The same by name, in any order (FEATURES L4). A name that is missing, unknown or given twice is an error.
  Result<S*> with_labels(const Labels& labels);
  bool remove(const std::vector<std::string>& values) override;
  /// Forgets all of them.
  void clear();

  [[nodiscard]] std::size_t size() const override { return order_.size(); }
  [[nodiscard]] FamilySnapshot snapshot() const override;
  Status add_label(const std::string& name) override;
  [[nodiscard]] const BucketLayout* layout() const override { return layout_.get(); }

 private:
  using ValuesPtr = std::shared_ptr<const std::vector<std::string>>;
  /// Orders the map by what the pointers point to, so that it shares its keys with the snapshots.
  struct ByValues {
    using is_transparent = void;
    bool operator()(const ValuesPtr& a, const ValuesPtr& b) const { return *a < *b; }
    bool operator()(const ValuesPtr& a, const std::vector<std::string>& b) const { return *a < b; }
    bool operator()(const std::vector<std::string>& a, const ValuesPtr& b) const { return a < *b; }
  };
  using Entries = std::map<ValuesPtr, S, ByValues>;

  [[nodiscard]] S make_series() const;
  S* insert(std::vector<std::string> values);

  BucketLayout::Ptr layout_;
  std::shared_ptr<SeriesBudget> budget_;
  std::function<WallTime()> now_;
  Entries entries_;
  std::vector<const typename Entries::value_type*> order_;  // by first use
};

extern template class Family<Counter>;
extern template class Family<Gauge>;
extern template class Family<Unknown>;
extern template class Family<Histogram>;
extern template class Family<GaugeHistogram>;
extern template class Family<Summary>;
extern template class Family<Info>;
extern template class Family<StateSet>;

}  // namespace connscope::metrics
