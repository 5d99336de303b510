// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/audit.h"

#include <charconv>
#include <sstream>

namespace connscope::probe {

void AuditWindow::add(Time now, std::uint64_t observed, std::uint64_t kernel) {
  // Counters that fell belong to another kernel state (a new network namespace): begin again.
  if (!readings_.empty() && kernel < readings_.back().kernel) readings_.clear();
  // One reading at or beyond the window's edge is kept: it is where the window begins.
  while (readings_.size() > 1 && readings_[1].time <= now - length_) readings_.pop_front();
  readings_.push_back({now, observed, kernel});
}

std::optional<AuditWindow::Change> AuditWindow::change() const {
  if (readings_.size() < 2) return std::nullopt;
  const std::uint64_t kernel = readings_.back().kernel - readings_.front().kernel;
  if (kernel == 0) return std::nullopt;
  return Change{static_cast<std::int64_t>(readings_.back().observed - readings_.front().observed), kernel};
}

Result<std::uint64_t> protocol_counter(std::string_view text, std::string_view protocol, std::string_view name) {
  std::istringstream lines{std::string(text)};
  const std::string prefix = std::string(protocol) + ": ";
  std::string names;  // two lines begin so: the names, then the values
  std::string values;
  for (std::string line; values.empty() && std::getline(lines, line);)
    if (line.rfind(prefix, 0) == 0) (names.empty() ? names : values) = line;
  std::istringstream name_words(names);
  std::istringstream value_words(values);
  std::string word;
  std::string value;
  while (name_words >> word && value_words >> value) {
    if (word != name) continue;
    std::uint64_t count = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), count);
    if (parsed.ec == std::errc() && parsed.ptr == value.data() + value.size()) return count;
    return Error("counter " + prefix + std::string(name) + ": not a count: " + value);
  }
  return Error("no counter " + prefix + std::string(name));
}

}  // namespace connscope::probe
