// SPDX-License-Identifier: Apache-2.0
#include "agent/host/pressure_file.h"

#include "agent/host/text.h"

namespace connscope::host {

std::optional<Stalls> stalls_of(std::string_view text) {
  constexpr std::string_view kTotal = "total=";
  Stalls stalls;
  while (!text.empty()) {
    const Fields<5> fields(take_line(text));
    const std::string_view total = fields[4];
    if (!total.starts_with(kTotal)) return std::nullopt;
    const auto microseconds = to_number(total.substr(kTotal.size()));
    if (!microseconds) return std::nullopt;
    const double seconds = static_cast<double>(*microseconds) / 1e6;
    if (fields[0] == "some") stalls.some_seconds = seconds;
    if (fields[0] == "full") stalls.full_seconds = seconds;
  }
  return stalls;
}

}  // namespace connscope::host
