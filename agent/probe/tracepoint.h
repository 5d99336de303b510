// SPDX-License-Identifier: Apache-2.0
//
// Attaching to perf tracepoints where tracefs is not mounted: its files are read through a detached mount that no other
// process sees (fsopen(2), fsmount(2), since Linux 5.2), so the host's mounts stay as they are.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/result.h"
#include "agent/probe/program_link.h"

namespace connscope::probe {

/// The id of "category/name" in tracefs. ENOENT: this kernel has no such tracepoint.
Result<std::uint64_t> tracepoint_id(std::string_view category_and_name);

/// Attaches `program` to "category/name" for all processes on all CPUs.
Result<ProgramLink> attach_tracepoint(int program, std::string_view category_and_name);

}  // namespace connscope::probe
