// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/fetch.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/control/client.h"

namespace connscope::terminal {

Result<Fetched> fetch(const std::string& socket, const std::vector<std::string>& patterns) {
  Fetched fetched;
  Status legal;
  const auto take = [&](const nlohmann::json& line) {
    if (const auto time = line.find("taken_at"); time != line.end() && time->is_number()) {
      fetched.taken_at = time->get<double>();
      return;
    }
    auto series = series_of(line);
    if (series) {
      fetched.series.push_back(std::move(*series));
    } else {
      legal = series.error();
    }
  };
  const auto asked = control::ask_for_all(socket, {{"command", "show"}, {"patterns", patterns}}, take);
  if (!asked) return asked.error();
  if (!legal) return legal.error();
  return fetched;
}

}  // namespace connscope::terminal
