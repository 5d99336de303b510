// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "agent/config/document.h"
#include "agent/config/duration.h"
#include "agent/config/message.h"
#include "agent/config/tree.h"

namespace connscope::config {
namespace {

using detail::Entry;

const toml::node* find(Entry& entry, std::string_view key) {
  entry.asked.emplace(key);
  return entry.table == nullptr ? nullptr : entry.table->get(key);
}

detail::Place place_of_key(const Entry& entry, std::string_view key) {
  if (entry.table == nullptr) return entry.place;
  const auto found = entry.table->find(key);
  return found == entry.table->end() ? entry.place : detail::place_of(found->first.source());
}

void report(Entry& entry, std::string_view key, std::string_view message) {
  entry.tree->problems.push_back(
      {place_of_key(entry, key), detail::join(entry.path, key) + ": " + std::string(message)});
}

std::string_view type_text(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

void report_type(Entry& entry, std::string_view key, const toml::node& node, std::string_view allowed) {
  report(entry, key, "is " + std::string(type_text(node)) + "; allowed: " + std::string(allowed));
}

/// Calls `take` with each element of an array and what a message says of it; another value stands for an array of one.
template <class Take>
void for_each_element(const toml::node& node, const Take& take) {
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) take(element, "has in it");
  } else {
    take(node, "is");
  }
}

/// Strings end up in system calls, which would silently cut them at a NUL.
bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }
constexpr std::string_view kNulMessage = "has a NUL character; allowed: strings without";

}  // namespace

std::string Section::text(std::string_view key, std::string_view fallback) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return std::string(fallback);
  const auto* value = node->as_string();
  if (value == nullptr) {
    report_type(*entry_, key, *node, "a string in quotes");
  } else if (has_nul(value->get())) {
    report(*entry_, key, kNulMessage);
  } else {
    return value->get();
  }
  return std::string(fallback);
}

bool Section::flag(std::string_view key, bool fallback) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return fallback;
  if (const auto* value = node->as_boolean()) return value->get();
  report_type(*entry_, key, *node, "true, false");
  return fallback;
}

std::int64_t Section::integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return fallback;
  const std::string allowed = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  const auto* value = node->as_integer();
  if (value == nullptr) {
    report_type(*entry_, key, *node, allowed);
  } else if (value->get() < min || value->get() > max) {
    report(*entry_, key, std::to_string(value->get()) + " is out of range; allowed: " + allowed);
  } else {
    return value->get();
  }
  return fallback;
}

std::vector<std::int64_t> Section::integers(std::string_view key, std::vector<std::int64_t> fallback, std::int64_t min,
                                            std::int64_t max) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return fallback;
  const std::string allowed = "integers from " + std::to_string(min) + " to " + std::to_string(max);
  std::vector<std::int64_t> values;
  const auto take = [&](const toml::node& element, std::string_view wrong) {
    const auto* value = element.as_integer();
    if (value == nullptr) {
      report(*entry_, key, std::string(wrong) + " " + std::string(type_text(element)) + "; allowed: " + allowed);
    } else if (value->get() < min || value->get() > max) {
      report(*entry_, key, std::to_string(value->get()) + " is out of range; allowed: " + allowed);
    } else {
      values.push_back(value->get());
    }
  };
  for_each_element(*node, take);
  return values;
}

double Section::number(std::string_view key, double fallback, double min, double max) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return fallback;
  const std::string allowed = "a number from " + number_text(min) + " to " + number_text(max);
  const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) {
    report_type(*entry_, key, *node, allowed);
  } else if (!(*value >= min && *value <= max)) {
    report(*entry_, key, number_text(*value) + " is out of range; allowed: " + allowed);
  } else {
    return *value;
  }
  return fallback;
}

std::chrono::milliseconds Section::duration(std::string_view key, std::chrono::milliseconds fallback,
                                            std::chrono::milliseconds min, std::chrono::milliseconds max) const {
  return duration_or("", key, fallback, min, max).value_or(fallback);
}

std::optional<std::chrono::milliseconds> Section::duration_or(std::string_view word, std::string_view key,
                                                              std::chrono::milliseconds fallback,
                                                              std::chrono::milliseconds min,
                                                              std::chrono::milliseconds max) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return fallback;
  const std::string allowed = (word.empty() ? "" : in_quotes(word) + ", or ") + "from " +
                              in_quotes(duration_text(min)) + " to " + in_quotes(duration_text(max)) +
                              ", a whole number with its unit (ms, s, m, h, d)";
  const auto* value = node->as_string();
  if (value == nullptr) {
    const std::string wrong = node->is_number() ? "has no unit" : "is " + std::string(type_text(*node));
    report(*entry_, key, wrong + "; allowed: " + allowed);
    return fallback;
  }
  if (!word.empty() && value->get() == word) return std::nullopt;
  const auto parsed = parse_duration(value->get());
  if (!parsed) {
    report(*entry_, key, in_quotes(value->get()) + " is not a duration; allowed: " + allowed);
  } else if (*parsed < min || *parsed > max) {
    report(*entry_, key, in_quotes(value->get()) + " is out of range; allowed: " + allowed);
  } else {
    return parsed;
  }
  return fallback;
}

std::vector<std::string> Section::texts(std::string_view key, std::string_view allowed) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return {};
  std::vector<std::string> values;
  const auto take = [&](const toml::node& element, std::string_view wrong) {
    const auto* value = element.as_string();
    if (value == nullptr) {
      report(*entry_, key,
             std::string(wrong) + " " + std::string(type_text(element)) + "; allowed: " + std::string(allowed));
    } else if (has_nul(value->get())) {
      report(*entry_, key, kNulMessage);
    } else {
      values.push_back(value->get());
    }
  };
  for_each_element(*node, take);
  return values;
}

std::string Section::one_of(std::string_view key, std::string_view fallback,
                            const std::vector<std::string_view>& allowed) const {
  std::string value = text(key, fallback);
  if (value == fallback || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  const std::string_view near = nearest(value, allowed);
  const std::string hint = near.empty() ? "" : " (did you mean " + std::string(near) + "?)";
  report(*entry_, key, in_quotes(value) + " is unknown" + hint + "; allowed: " + joined(allowed));
  return std::string(fallback);
}

bool Section::has(std::string_view key) const { return find(*entry_, key) != nullptr; }

bool Section::is_flag(std::string_view key) const {
  const toml::node* node = find(*entry_, key);
  return node != nullptr && node->is_boolean();
}

Section Section::table(std::string_view key) const {
  const toml::node* node = find(*entry_, key);
  std::string path = detail::join(entry_->path, key);
  const auto* table = node == nullptr ? nullptr : node->as_table();
  if (table != nullptr) return Section(entry_->tree->enter(*table, std::move(path), place_of_key(*entry_, key)));
  if (node != nullptr) report_type(*entry_, key, *node, "a table, [" + path + "]");
  return Section(entry_->tree->enter_absent(std::move(path)));
}

std::vector<Section> Section::tables(std::string_view key) const {
  const toml::node* node = find(*entry_, key);
  if (node == nullptr) return {};
  const std::string path = detail::join(entry_->path, key);
  const auto* array = node->as_array();
  if (array == nullptr) {
    report_type(*entry_, key, *node, "an array of tables, [[" + path + "]]");
    return {};
  }
  std::vector<Section> sections;
  for (const toml::node& element : *array) {
    if (const auto* table = element.as_table()) {
      sections.push_back(Section(entry_->tree->enter(*table, path, detail::place_of(table->source()))));
    } else {
      report(*entry_, key,
             "has " + std::string(type_text(element)) + " in it; allowed: an array of tables, [[" + path + "]]");
    }
  }
  return sections;
}

std::vector<std::string> Section::names() const {
  std::vector<std::string> names;
  if (entry_->table == nullptr) return names;
  for (const auto& [key, node] : *entry_->table) {
    if (node.is_table()) names.emplace_back(key.str());
  }
  return names;
}

void Section::fail(std::string_view key, std::string_view message) const {
  entry_->asked.emplace(key);
  report(*entry_, key, message);
}

void Section::fail(std::string_view message) const {
  entry_->tree->problems.push_back({entry_->place, entry_->path + ": " + std::string(message)});
}

}  // namespace connscope::config
