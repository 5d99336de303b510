// SPDX-License-Identifier: Apache-2.0
//
// `connscope policy list | show | move | report`: the policies of the running agent, for people. Blocks; one thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "agent/config/command_options.h"

namespace connscope::terminal {

/// The lines of `list` and of `show`, from the agent's answer. Pure.
[[nodiscard]] std::vector<std::string> policy_table(const std::vector<nlohmann::json>& answer);
[[nodiscard]] std::vector<std::string> policy_metrics_table(const std::vector<nlohmann::json>& answer);

/// Asks the agent, prints what it says, and gives the program's exit code.
int run_policy(const std::string& socket, const config::PolicyOptions& options);

}  // namespace connscope::terminal
