// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/family.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "agent/metrics/names.h"
#include "agent/metrics/utf8.h"

namespace connscope::metrics {

Status FamilyBase::check_values(const std::vector<std::string>& values) const {
  const auto& names = descriptor_->label_names;
  if (values.size() != names.size()) {
    return Error("metric family " + descriptor_->name + ": has " + std::to_string(names.size()) + " labels, but " +
                 std::to_string(values.size()) + " values were given");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_utf8(values[i])) {
      return Error("metric family " + descriptor_->name + ": the value of label \"" + names[i] + "\" is not UTF-8");
    }
  }
  return {};
}

Result<std::vector<std::string>> FamilyBase::ordered(const Labels& labels) const {
  const auto& names = descriptor_->label_names;
  std::vector<std::optional<std::string>> found(names.size());
  for (const auto& [name, value] : labels) {
    const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (at == names.size()) return Error("metric family " + descriptor_->name + ": has no label \"" + name + "\"");
    if (found[at]) return Error("metric family " + descriptor_->name + ": label \"" + name + "\" is given twice");
    found[at] = value;
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!found[i]) return Error("metric family " + descriptor_->name + ": label \"" + names[i] + "\" is missing");
    values.push_back(std::move(*found[i]));
  }
  return values;
}

Status FamilyBase::describe_label(const std::string& name) {
  const std::string where = "metric family " + descriptor_->name + ": label name \"" + name + "\"";
  const auto& names = descriptor_->label_names;
  if (!is_label_name(name) || is_reserved_label(name, type_)) return Error(where + " is not allowed");
  if (std::find(names.begin(), names.end(), name) != names.end()) return Error(where + " is there already");
  FamilyDescriptor wider = *descriptor_;  // snapshots share the one before
  wider.label_names.push_back(name);
  descriptor_ = std::make_shared<const FamilyDescriptor>(std::move(wider));
  return {};
}

std::vector<std::string> FamilyBase::folded(std::vector<std::string> values) const {
  const auto& names = descriptor_->label_names;
  const auto at = std::find(names.begin(), names.end(), descriptor_->fold_label);
  if (at != names.end()) values[static_cast<std::size_t>(at - names.begin())] = kOther;
  return values;
}

template <class S>
Family<S>::Family(FamilyDescriptor descriptor, BucketLayout::Ptr layout, std::shared_ptr<SeriesBudget> budget,
                  std::function<WallTime()> now)
    : FamilyBase(std::move(descriptor), S::kType),
      layout_(std::move(layout)),
      budget_(std::move(budget)),
      now_(std::move(now)) {}

template <class S>
S Family<S>::make_series() const {
  if constexpr (std::is_base_of_v<HistogramCells, S>) {
    return S(layout_, now_());
  } else {
    return S(now_());
  }
}

template <class S>
S* Family<S>::insert(std::vector<std::string> values) {
  auto key = std::make_shared<const std::vector<std::string>>(std::move(values));
  const auto place = entries_.emplace(std::move(key), make_series()).first;
  order_.push_back(&*place);
  budget_->take();
  return &place->second;
}

template <class S>
Result<S*> Family<S>::with(const std::vector<std::string>& values) {
  if (const auto known = entries_.find(values); known != entries_.end()) return &known->second;
  if (auto legal = check_values(values); !legal) return legal.error();
  if (!budget_->spent()) return insert(values);
  std::vector<std::string> other = folded(values);
  if (other == values) return insert(values);  // cannot be folded, or is what others fold into
  budget_->count_fold(descriptor_->fold_label);
  if (const auto known = entries_.find(other); known != entries_.end()) return &known->second;
  return insert(std::move(other));
}

template <class S>
Result<S*> Family<S>::with_labels(const Labels& labels) {
  const auto values = ordered(labels);
  if (!values) return values.error();
  return with(*values);
}

template <class S>
bool Family<S>::remove(const std::vector<std::string>& values) {
  const auto entry = entries_.find(values);
  if (entry == entries_.end()) return false;
  order_.erase(std::find(order_.begin(), order_.end(), &*entry));
  entries_.erase(entry);
  budget_->give_back();
  return true;
}

template <class S>
void Family<S>::clear() {
  for (std::size_t i = 0; i < order_.size(); ++i) budget_->give_back();
  order_.clear();
  entries_.clear();
}

template <class S>
Status Family<S>::add_label(const std::string& name) {
  if (auto described = describe_label(name); !described) return described;
  Entries widened;
  for (auto at = entries_.begin(); at != entries_.end();) {
    // A node keeps its address, and so the pointers to its series.
    auto node = entries_.extract(at++);
    std::vector<std::string> values = *node.key();
    values.emplace_back();
    node.key() = std::make_shared<const std::vector<std::string>>(std::move(values));
    widened.insert(widened.end(), std::move(node));
  }
  entries_ = std::move(widened);
  return {};
}

template <class S>
FamilySnapshot Family<S>::snapshot() const {
  FamilySnapshot taken{descriptor_, type_, {}};
  taken.samples.reserve(order_.size());
  for (const auto* entry : order_) taken.samples.push_back({entry->first, entry->second.value()});
  return taken;
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Unknown>;
template class Family<Histogram>;
template class Family<GaugeHistogram>;
template class Family<Summary>;
template class Family<Info>;
template class Family<StateSet>;

}  // namespace connscope::metrics
