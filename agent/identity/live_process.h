// SPDX-License-Identifier: Apache-2.0
//
// What rules know of a process, read from /proc for one that runs. Pure but for the reading; any thread. Source:
// proc(5).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/identity/process_rules.h"

namespace connscope::identity {

/// Of a process that runs, or that has ended and is not waited for yet (then without exe): all but user, which costs a
/// question to the name service, and args and script unless wished for, which wait for the process's memory. None when
/// there is no such process. `proc_root`: where /proc is.
[[nodiscard]] std::optional<ProcessAttributes> read_process(const std::string& proc_root, pid_t pid,
                                                            const CaptureWishes& wishes);

/// The path that /proc/PID/exe points to, empty when that cannot be read.
[[nodiscard]] std::string read_exe(const std::string& proc_root, pid_t pid);
/// When the process started, in the kernel's ticks since boot: tells it from a later one of the same number. 0 when
/// there is no such process.
[[nodiscard]] std::uint64_t read_start_time(const std::string& proc_root, pid_t pid);

/// /proc/PID/cmdline's form to words with single spaces.
[[nodiscard]] std::string words_of_args(std::string_view args);

}  // namespace connscope::identity
