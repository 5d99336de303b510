// SPDX-License-Identifier: Apache-2.0
//
// detached_mount: a file system of the kernel's that this host does not have mounted, for the agent alone and for as
// long as the descriptor is open (fsopen(2)). It needs CAP_SYS_ADMIN, so a mount that is there already comes first.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

/// The root directory of a new mount of `file_system`.
[[nodiscard]] Result<UniqueFd> detached_mount(const char* file_system);

}  // namespace connscope::probe
