// SPDX-License-Identifier: Apache-2.0
//
// Sockets that a service manager has opened for the agent (socket activation). They outlive the agent, so that a scrape
// which comes during a restart waits instead of being refused. The caller owns what it is given. To be called once, at
// the start, by the only thread. Source: sd_listen_fds(3).
#pragma once

#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::service {

/// The TCP sockets that listen already; none when nothing was handed over. An error names what is no such socket by its
/// FileDescriptorName.
Result<std::vector<UniqueFd>> take_handed_over_sockets();

}  // namespace connscope::service
