// SPDX-License-Identifier: Apache-2.0
//
// What the commands for people have in common: where the agent is, where they write, and how they end. One thread.
#pragma once

#include <string>

#include "agent/base/result.h"
#include "agent/config/options.h"
#include "agent/terminal/histogram.h"

namespace connscope::terminal {

inline constexpr int kDone = 0;
inline constexpr int kNothingFound = 1;
inline constexpr int kWrongUse = 2;
inline constexpr int kNoAnswer = 3;

/// The control socket of the command line, else of the config file.
Result<std::string> socket_of(const config::Options& options);

/// Says on standard error why there is no answer. kNoAnswer.
int tell_no_answer(const Error& error);

/// How wide standard output is (80 where it is no terminal), and whether its characters may be others than ASCII.
[[nodiscard]] Canvas canvas_of_output();

/// Runs the command `show`, `top`, `events` or `policy` of the options. The program's exit code.
int run(const config::Options& options);

}  // namespace connscope::terminal
