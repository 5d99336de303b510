// SPDX-License-Identifier: Apache-2.0
#include "bpf/owners/owners.h"

namespace connscope::bpf {

std::string LimitedLabel::admit(const std::string& value) {
  if (limit_ == 0) return {};
  if (values_.count(value) != 0) return value;
  if (values_.size() >= limit_) return "other";
  values_.insert(value);
  return value;
}

OwnerLabels Owners::owner_of(std::uint64_t identity) {
  const identity::ProcessLabel& label = identities_.label_of(identity);
  // What nobody will see must not take the place of what could be seen.
  return {label.prefix, label.captured ? netns_.admit(std::to_string(label.netns)) : "", label.captured};
}

}  // namespace connscope::bpf
