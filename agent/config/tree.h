// SPDX-License-Identifier: Apache-2.0
//
// What a Document owns; private to document.cpp and section.cpp, the only files that know toml++.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/config/message.h"

namespace connscope::config::detail {

/// Where something stands in the file; line 0 when it is not in the file.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

inline Place place_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

struct Problem {
  Place place;
  std::string text;  // "section.key: what is wrong; what is allowed"

  [[nodiscard]] auto order() const { return std::tie(place.line, place.column, text); }
};

/// A table that some part has asked for.
struct Entry {
  Tree* tree;
  const toml::table* table;  // nullptr when the file does not have it
  std::string path;          // "exporter.statsd"; empty for the root
  Place place;
  std::set<std::string, std::less<>> asked;  // the keys that are allowed here
};

struct Tree {
  std::string file_name;
  toml::table root;
  std::vector<Problem> problems;
  std::deque<Entry> entries;  // a deque, as Sections keep pointers to its elements
  std::map<const toml::table*, Entry*> entry_of;
  std::map<std::string, Entry*, std::less<>> absent;  // by path: entries of tables that the file does not have

  /// The one entry of a table, made when it is first asked for.
  Entry& enter(const toml::table& table, std::string path, Place place) {
    Entry*& entry = entry_of[&table];
    if (entry == nullptr) entry = &entries.emplace_back(Entry{this, &table, std::move(path), place, {}});
    return *entry;
  }

  Entry& enter_absent(std::string path) {
    Entry*& entry = absent[path];
    if (entry == nullptr) entry = &entries.emplace_back(Entry{this, nullptr, std::move(path), {}, {}});
    return *entry;
  }
};

inline std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? key_text(key) : std::string(path) + "." + key_text(key);
}

}  // namespace connscope::config::detail
