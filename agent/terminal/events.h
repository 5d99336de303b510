// SPDX-License-Identifier: Apache-2.0
//
// `connscope events`: follows failures and outliers of the running agent. A program of its own; one thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "agent/config/command_options.h"

namespace connscope::terminal {

/// 12:00:00.123 curl[812] tcp refused after 61.5µs, peer 192.0.2.1:443
[[nodiscard]] std::string event_text(const nlohmann::json& event);

/// Until the agent stops or this program is interrupted. The exit code: 3 when there is no agent, or it has stopped.
int follow_events(const std::string& socket, const config::EventsOptions& options);

}  // namespace connscope::terminal
