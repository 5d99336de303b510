// SPDX-License-Identifier: Apache-2.0
//
// Registry: all families of the agent. Registering the same family twice gives the same family; the same name with
// another shape (type, labels, unit, bounds, fold label) is refused, with both shapes in the message (FEATURES P4).
// Names are checked against OpenMetrics: legal characters, no name that another family's samples would have (`x_total`
// beside the counter `x`), unit as suffix, label names legal, not reserved (`__*`, `le` in histograms, `quantile` in
// summaries) and not repeated; so are dotted ids (metric_id.h), which no two families share. The collecting thread
// only; what other threads may see is a Snapshot.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "agent/base/result.h"
#include "agent/metrics/family.h"
#include "agent/metrics/metric_id.h"

namespace connscope::metrics {

class Registry {
 public:
  explicit Registry(RegistryLimits limits = {});

  template <class S>
  Result<Family<S>*> family(FamilyDescriptor descriptor) {
    static_assert(!std::is_base_of_v<HistogramCells, S>, "a histogram needs a layout");
    return typed<S>(std::move(descriptor), nullptr);
  }
  template <class S>
  Result<Family<S>*> family(FamilyDescriptor descriptor, BucketLayout::Ptr layout) {
    static_assert(std::is_base_of_v<HistogramCells, S>, "only a histogram has a layout");
    return typed<S>(std::move(descriptor), std::move(layout));
  }

  /// Calls `visit(const FamilyBase&)` for each family.
  template <class Visit>
  void visit(Visit&& visit) const {
    for (const auto& [name, family] : families_) visit(*family);
  }
  /// Families sorted by name. Not const yet, for who adds families of its own before others see it.
  [[nodiscard]] std::shared_ptr<Snapshot> snapshot() const;
  /// The families without their series: which names are taken.
  [[nodiscard]] std::shared_ptr<Snapshot> outline() const;
  [[nodiscard]] const SeriesBudget& budget() const { return *budget_; }
  /// A smaller limit folds new label sets only; series that exist stay.
  void set_series_limit(std::size_t limit) { budget_->set_limit(limit); }

 private:
  template <class S>
  Result<Family<S>*> typed(FamilyDescriptor descriptor, BucketLayout::Ptr layout);
  /// The family of that name when it has this shape, nullptr when there is none, else an error.
  Result<FamilyBase*> find(const FamilyDescriptor& descriptor, MetricType type, const BucketLayout* layout) const;
  [[nodiscard]] Status check(const FamilyDescriptor& descriptor, MetricType type) const;
  /// An error when a sample of this family would have the name of another family's.
  [[nodiscard]] Status check_clash(const std::string& name, MetricType type) const;

  std::function<WallTime()> now_;
  std::shared_ptr<SeriesBudget> budget_;
  std::map<std::string, std::unique_ptr<FamilyBase>> families_;
  std::set<std::string> ids_;
};

template <class S>
Result<Family<S>*> Registry::typed(FamilyDescriptor descriptor, BucketLayout::Ptr layout) {
  if (descriptor.id.empty()) descriptor.id = default_id(descriptor.name);
  auto found = find(descriptor, S::kType, layout.get());
  if (!found) return found.error();
  if (*found != nullptr) return static_cast<Family<S>*>(*found);
  if (auto legal = check(descriptor, S::kType); !legal) return legal.error();
  std::string name = descriptor.name;
  auto made = std::make_unique<Family<S>>(std::move(descriptor), std::move(layout), budget_, now_);
  Family<S>* family = made.get();
  ids_.insert(family->descriptor().id);
  families_.emplace(std::move(name), std::move(made));
  return family;
}

}  // namespace connscope::metrics
