// SPDX-License-Identifier: Apache-2.0
#include "exporters/target_labels.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>

#include "agent/config/message.h"

namespace connscope::exporters {
namespace {

/// Those that begin with two underscores are Prometheus' own.
bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_allowed = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && !name.starts_with("__") &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

bool has(const metrics::Labels& labels, std::string_view name) {
  return std::any_of(labels.begin(), labels.end(), [name](const auto& label) { return label.first == name; });
}

}  // namespace

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

metrics::Labels parse_pairs(const config::Section& section, std::string_view key) {
  metrics::Labels pairs;
  for (const std::string& text : section.texts(key, "pairs such as \"region=eu\"")) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      section.fail(key, config::in_quotes(text) + " is no pair; allowed: NAME=VALUE");
      continue;
    }
    std::string name = text.substr(0, equals);
    if (has(pairs, name)) section.fail(key, config::in_quotes(name) + " is there twice; allowed: each name once");
    pairs.emplace_back(std::move(name), text.substr(equals + 1));
  }
  return pairs;
}

metrics::Labels parse_external_labels(const config::Section& section) {
  metrics::Labels labels = {{"job", section.text("job", "connscope")},
                            {"instance", section.text("instance", host_name())}};
  for (auto& label : parse_pairs(section, "labels")) {
    if (!is_label_name(label.first))
      section.fail("labels", config::in_quotes(label.first) +
                                 " is no name of a label; allowed: letters, digits and _, not __ at the start");
    if (has(labels, label.first))
      section.fail("labels", config::in_quotes(label.first) + " has a key of its own; allowed: other names");
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace connscope::exporters
