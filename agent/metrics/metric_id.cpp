// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/metric_id.h"

#include <algorithm>
#include <cstddef>

namespace connscope::metrics {
namespace {

bool is_part_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::size_t index_of(const FamilyDescriptor& descriptor, std::string_view label) {
  const auto& names = descriptor.label_names;
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), label) - names.begin());
}

/// The labels between the braces of `{listener|role}`.
std::vector<std::string_view> alternatives(std::string_view choice) {
  std::vector<std::string_view> labels;
  for (;;) {
    const std::size_t bar = choice.find('|');
    labels.push_back(choice.substr(0, bar));
    if (bar == std::string_view::npos) return labels;
    choice.remove_prefix(bar + 1);
  }
}

/// A label's value as one part of an id: an address has dots, which would make several of it.
std::string as_part(std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return !is_part_character(c); }, '_');
  return value;
}

/// Puts the first alternative that has a value into `id`, and marks its label, and those before it, as taken in.
void take_in(const FamilyDescriptor& descriptor, const std::vector<std::string>& values, std::string_view choice,
             std::vector<bool>& taken, std::string& id) {
  for (const std::string_view label : alternatives(choice)) {
    const std::size_t index = index_of(descriptor, label);
    if (index == values.size() || values[index].empty()) continue;
    taken[index] = true;
    id += as_part(values[index]);
    return;
  }
  id += "none";
}

std::string expanded(const FamilyDescriptor& descriptor, const std::vector<std::string>& values,
                     std::vector<bool>& taken) {
  std::string id;
  std::string_view rest = descriptor.id;
  for (;;) {
    const std::size_t open = rest.find('{');
    id += rest.substr(0, open);
    if (open == std::string_view::npos) return id;
    const std::size_t close = rest.find('}', open);
    take_in(descriptor, values, rest.substr(open + 1, close - open - 1), taken, id);
    rest.remove_prefix(close + 1);
  }
}

Status check_labels_taken_in(const FamilyDescriptor& descriptor, std::string_view choice) {
  for (const std::string_view label : alternatives(choice)) {
    if (index_of(descriptor, label) < descriptor.label_names.size()) continue;
    return Error("id \"" + descriptor.id + "\" takes in \"" + std::string(label) + "\", which is none of its labels");
  }
  return {};
}

}  // namespace

MetricId metric_id(const FamilyDescriptor& descriptor, const std::vector<std::string>& values) {
  MetricId made;
  std::vector<bool> taken(values.size(), false);
  made.id = expanded(descriptor, values, taken);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (descriptor.label_names[i] == kProcessLabel) {
      made.prefix = values[i];
    } else if (!taken[i] && !values[i].empty()) {
      made.tags.emplace_back(descriptor.label_names[i], values[i]);
    }
  }
  return made;
}

std::string default_id(std::string_view family_name) {
  std::string id;
  if (family_name.substr(0, 5) == "conn_") {
    id = "n.cn.";
    family_name.remove_prefix(5);
  } else if (family_name.substr(0, 10) == "connscope_") {
    return "agent." + std::string(family_name.substr(10));
  }
  const std::size_t underscore = family_name.find('_');
  // A name's own first or last `_` would leave an empty part.
  if (underscore == std::string_view::npos || underscore == 0 || underscore + 1 == family_name.size())
    return id + std::string(family_name);
  return id + std::string(family_name.substr(0, underscore)) + "." + std::string(family_name.substr(underscore + 1));
}

Status check_id(const FamilyDescriptor& descriptor) {
  const std::string_view id = descriptor.id;
  const std::string what = "id \"" + descriptor.id + "\"";
  bool part_is_empty = true;
  for (std::size_t at = 0; at < id.size(); ++at) {
    const char c = id[at];
    if (c == '{') {
      const std::size_t close = id.find('}', at);
      if (close == std::string_view::npos) return Error(what + " has a { without its }");
      if (auto legal = check_labels_taken_in(descriptor, id.substr(at + 1, close - at - 1)); !legal) return legal;
      at = close;
    } else if (c == '.' ? part_is_empty : !is_part_character(c) && c != ':' && c != '/') {
      return Error(what + " must be parts of letters, digits and _ - : /, with a dot between them");
    }
    part_is_empty = c == '.';
  }
  if (part_is_empty) return Error(what + " must be parts of letters, digits and _ - : /, with a dot between them");
  return {};
}

}  // namespace connscope::metrics
