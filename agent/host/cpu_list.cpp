// SPDX-License-Identifier: Apache-2.0
#include "agent/host/cpu_list.h"

#include "agent/host/text.h"

namespace connscope::host {

std::vector<std::uint64_t> cpus_of_list(std::string_view list) {
  std::vector<std::uint64_t> cpus;
  while (!list.empty()) {
    std::string_view range = take_until(list, ',');
    const bool is_one = range.find('-') == std::string_view::npos;
    const auto first = to_number(take_until(range, '-'));
    const auto last = is_one ? first : to_number(range);
    if (!first || !last || *last >= kMostCpus) continue;
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && to_number(name.substr(prefix.size())).has_value();
}

}  // namespace connscope::host
