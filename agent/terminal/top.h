// SPDX-License-Identifier: Apache-2.0
//
// `connscope top`: which processes fail, and which are slow, screen by screen. A program of its own; one thread.
#pragma once

#include <string>

#include "agent/config/command_options.h"

namespace connscope::terminal {

/// One page with --once, or where there is no terminal. The exit code: 3 when there is no agent to ask.
int top(const std::string& socket, const config::TopOptions& options);

}  // namespace connscope::terminal
