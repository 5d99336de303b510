// SPDX-License-Identifier: Apache-2.0
//
// The unix stream sockets under the control protocol. Functions without state; any thread.
// Source: unix(7).
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::control {

/// A listening socket in the file system, non-blocking, for its owner alone (mode 0600). Makes the last folder of the
/// path when it lacks, and takes the place of a socket that nobody listens on any more. An error when somebody does.
Result<UniqueFd> listen_at(const std::string& path, int backlog);

/// A connected socket. The error's code is connect's errno.
Result<UniqueFd> connect_to(const std::string& path);

/// The user of the process that has connected, as it was then.
Result<uid_t> peer_user(int connection);

}  // namespace connscope::control
