// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/snapshot_schedule.h"

#include <algorithm>
#include <utility>

namespace connscope::runtime {

void SnapshotSchedule::set(const Intervals& intervals, Time now) {
  std::map<std::string, Entry, std::less<>> entries;
  for (const auto& [name, interval] : intervals) {
    const auto known = entries_.find(name);
    const bool stays = known != entries_.end() && known->second.interval == interval;
    entries[name] = stays ? known->second : Entry{interval, now};
  }
  entries_ = std::move(entries);
}

std::optional<SnapshotSchedule::Time> SnapshotSchedule::next_due() const {
  std::optional<Time> next;
  for (const auto& [name, entry] : entries_) next = std::min(next.value_or(entry.due), entry.due);
  return next;
}

std::vector<std::string> SnapshotSchedule::take_due(Time now) {
  std::vector<std::string> due;
  for (auto& [name, entry] : entries_) {
    if (entry.due > now) continue;
    due.push_back(name);
    entry.due += ((now - entry.due) / entry.interval + 1) * entry.interval;
  }
  return due;
}

std::vector<std::string> SnapshotSchedule::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

}  // namespace connscope::runtime
