// SPDX-License-Identifier: Apache-2.0
//
// The processes of a proc(5). Any thread.
#pragma once

#include <dirent.h>

#include <functional>
#include <string>

#include "agent/base/result.h"

namespace connscope::probe {

/// Calls `visit` with the descriptor of `procfs` and the entry of each process in it, whose name is its number.
Status for_each_process(const std::string& procfs,
                        const std::function<void(int directory, const dirent& entry)>& visit);

/// What that process has mapped (proc_pid_maps(5)); an error where it is gone, or maps beyond measure.
Result<std::string> read_maps(const std::string& procfs, const std::string& process);

/// Whether the numbers that the kernel half has for processes are those of our /proc: we are in the first pid
/// namespace.
[[nodiscard]] bool sees_all_processes();

}  // namespace connscope::probe
