// SPDX-License-Identifier: Apache-2.0
//
// open_root_cgroup: the top of the cgroup v2 hierarchy, where programs hang that are to see all sockets. Within a
// cgroup namespace it is that namespace's top.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

/// Where a whole cgroup v2 hierarchy is mounted, by the text of /proc/self/mountinfo; empty when it is nowhere.
[[nodiscard]] std::string cgroup2_mount(std::string_view mountinfo);

/// Opens it at its mount (/sys/fs/cgroup, /sys/fs/cgroup/unified, or elsewhere); where it is not mounted, at one of the
/// agent's own.
[[nodiscard]] Result<UniqueFd> open_root_cgroup();

}  // namespace connscope::probe
