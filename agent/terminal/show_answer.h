// SPDX-License-Identifier: Apache-2.0
//
// The agent's half of `show`, and of `top`, which asks for the same. The request may have "patterns", globs that
// select a series by its id, its family or the name of the family's samples; all when there is none. The answer is
// {"taken_at": Unix time in seconds} and then a line for each series (series.h), made as the client reads. The main
// thread only.
#pragma once

#include <functional>

#include "agent/control/server.h"
#include "agent/metrics/snapshot.h"

namespace connscope::terminal {

/// `fresh` collects, and gives the snapshot of that.
[[nodiscard]] control::Handler make_show_handler(std::function<metrics::SnapshotPtr()> fresh);

}  // namespace connscope::terminal
