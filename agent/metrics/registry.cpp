// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/registry.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/metrics/names.h"

namespace connscope::metrics {

namespace {

bool has_buckets(MetricType type) { return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram; }

/// "histogram{process,outcome}, unit seconds, 109 bounds, folds by process": what two registrations must share.
std::string shape(const FamilyDescriptor& descriptor, MetricType type, const BucketLayout* layout) {
  std::string text = std::string(to_string(type)) + "{";
  for (const auto& name : descriptor.label_names) text += (text.back() == '{' ? "" : ",") + name;
  text += "}, " + (descriptor.unit.empty() ? std::string("no unit") : "unit " + descriptor.unit);
  if (layout != nullptr) {
    text += ", " + std::to_string(layout->bounds().size()) + " bounds";
    if (!layout->bounds().empty()) {
      text += " from " + std::to_string(layout->bounds().front()) + " to " + std::to_string(layout->bounds().back());
    }
  }
  if (!descriptor.fold_label.empty()) text += ", folds by " + descriptor.fold_label;
  // The id is told where it is not the one that follows from the name, which both shapes share.
  return descriptor.id == default_id(descriptor.name) ? text : text + ", id " + descriptor.id;
}

bool same_layout(const BucketLayout* a, const BucketLayout* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b && a->text_bounds() == b->text_bounds();
}

Status check_unit(const FamilyDescriptor& descriptor, MetricType type) {
  if (descriptor.unit.empty()) return {};
  const std::string suffix = "_" + descriptor.unit;
  if (type == MetricType::kInfo || type == MetricType::kStateSet) {
    return Error("an " + std::string(to_string(type)) + " family has no unit, but \"" + descriptor.unit +
                 "\" is given");
  }
  const std::string& name = descriptor.name;
  if (name.size() <= suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) {
    return Error("the name must end in its unit, \"" + suffix + "\"");
  }
  return {};
}

Status check_labels(const FamilyDescriptor& descriptor, MetricType type) {
  const auto& names = descriptor.label_names;
  for (auto name = names.begin(); name != names.end(); ++name) {
    const std::string which = "label name \"" + *name + "\"";
    if (!is_label_name(*name)) return Error(which + " must match [a-zA-Z_][a-zA-Z0-9_]* and not begin with \"__\"");
    if (is_reserved_label(*name, type)) return Error(which + " is reserved in a " + to_string(type) + " family");
    if (type == MetricType::kStateSet && *name == descriptor.name) {
      return Error(which + " is the label of the stateset's own states");
    }
    if (std::find(names.begin(), name, *name) != name) return Error(which + " is given twice");
  }
  const std::string& fold = descriptor.fold_label;
  if (!fold.empty() && std::find(names.begin(), names.end(), fold) == names.end()) {
    return Error("fold label \"" + fold + "\" is none of its labels");
  }
  return {};
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

Status check_name(const std::string& name, MetricType type) {
  if (!is_metric_name(name)) return Error("the name must match [a-zA-Z_:][a-zA-Z0-9_:]*");
  if (type == MetricType::kStateSet && !is_label_name(name)) {
    return Error("a stateset's name is also a label's, so it must match [a-zA-Z_][a-zA-Z0-9_]*");
  }
  for (const auto& [owner, suffix] :
       {std::pair(MetricType::kCounter, "_total"), std::pair(MetricType::kInfo, "_info")}) {
    if (type == owner && ends_with(name, suffix)) {
      return Error("the family's name must not end in \"" + std::string(suffix) + "\": its samples get that");
    }
  }
  return {};
}

}  // namespace

Registry::Registry(RegistryLimits limits)
    : now_(std::move(limits.now)), budget_(std::make_shared<SeriesBudget>(limits.series)) {}

std::shared_ptr<Snapshot> Registry::snapshot() const {
  auto taken = std::make_shared<Snapshot>();
  taken->families.reserve(families_.size());
  for (const auto& [name, family] : families_) taken->families.push_back(family->snapshot());
  taken->taken_at = now_();
  return taken;
}

std::shared_ptr<Snapshot> Registry::outline() const {
  auto taken = std::make_shared<Snapshot>();
  taken->families.reserve(families_.size());
  for (const auto& [name, family] : families_) taken->families.push_back(family->outline());
  taken->taken_at = now_();
  return taken;
}

Result<FamilyBase*> Registry::find(const FamilyDescriptor& descriptor, MetricType type,
                                   const BucketLayout* layout) const {
  const std::string where = "metric family " + descriptor.name;
  if (has_buckets(type) && layout == nullptr) return Error(where + ": a " + to_string(type) + " needs a bucket layout");
  const auto known = families_.find(descriptor.name);
  if (known == families_.end()) return nullptr;
  FamilyBase* family = known->second.get();
  const FamilyDescriptor& old = family->descriptor();
  if (family->type() == type && old.label_names == descriptor.label_names && old.unit == descriptor.unit &&
      old.fold_label == descriptor.fold_label && old.id == descriptor.id && same_layout(family->layout(), layout)) {
    return family;
  }
  return Error(where + ": is registered as " + shape(old, family->type(), family->layout()) + "; cannot also be " +
               shape(descriptor, type, layout));
}

Status Registry::check_clash(const std::string& name, MetricType type) const {
  constexpr auto kAllSuffixes = std::to_array<std::string_view>(
      {"", "_total", "_created", "_info", "_bucket", "_count", "_sum", "_gcount", "_gsum"});
  for (const std::string_view own : sample_suffixes(type)) {
    const std::string sample = name + std::string(own);
    for (const std::string_view suffix : kAllSuffixes) {
      if (!ends_with(sample, suffix)) continue;
      const auto other = families_.find(sample.substr(0, sample.size() - suffix.size()));
      if (other == families_.end()) continue;
      const auto theirs = sample_suffixes(other->second->type());
      if (std::find(theirs.begin(), theirs.end(), suffix) == theirs.end()) continue;
      return Error("its sample \"" + sample + "\" would also be one of the " + to_string(other->second->type()) +
                   " family " + other->first);
    }
  }
  return {};
}

Status Registry::check(const FamilyDescriptor& descriptor, MetricType type) const {
  const std::string where = "metric family " + descriptor.name;
  if (auto legal = check_name(descriptor.name, type); !legal) return legal.error().context(where);
  if (auto legal = check_unit(descriptor, type); !legal) return legal.error().context(where);
  if (auto legal = check_labels(descriptor, type); !legal) return legal.error().context(where);
  if (auto legal = check_clash(descriptor.name, type); !legal) return legal.error().context(where);
  if (auto legal = check_id(descriptor); !legal) return legal.error().context(where);
  if (ids_.count(descriptor.id) != 0) return Error(where + ": its id \"" + descriptor.id + "\" is another family's");
  return {};
}

}  // namespace connscope::metrics
