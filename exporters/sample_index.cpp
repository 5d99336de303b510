// SPDX-License-Identifier: Apache-2.0
#include "exporters/sample_index.h"

#include <algorithm>

namespace connscope::exporters {

using metrics::Sample;

SampleIndex::SampleIndex(const metrics::Snapshot* snapshot, const std::string& family) {
  if (snapshot == nullptr) return;
  const auto& families = snapshot->families;
  const auto found =
      std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.descriptor->name == family; });
  if (found == families.end()) return;
  family_ = &*found;
  for (const Sample& sample : family_->samples) by_address_[sample.label_values.get()] = &sample;
}

const Sample* SampleIndex::find_same(const Sample& sample) const {
  const auto found = by_address_.find(sample.label_values.get());
  return found == by_address_.end() ? nullptr : found->second;
}

const Sample* SampleIndex::find_alike(const Sample& sample) {
  if (const Sample* same = find_same(sample)) return same;
  if (family_ != nullptr && by_labels_.empty())
    for (const Sample& one : family_->samples) by_labels_[*one.label_values] = &one;
  const auto found = by_labels_.find(*sample.label_values);
  return found == by_labels_.end() ? nullptr : found->second;
}

}  // namespace connscope::exporters
