// SPDX-License-Identifier: Apache-2.0
//
// Asks a running agent for its metrics. Blocks; one thread.
#pragma once

#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/terminal/series.h"

namespace connscope::terminal {

struct Fetched {
  double taken_at = 0;  ///< Unix time in seconds, by the agent's clock
  std::vector<Series> series;
};

/// Series that any of the globs selects, by id or by family; all when there are none.
Result<Fetched> fetch(const std::string& socket, const std::vector<std::string>& patterns);

}  // namespace connscope::terminal
