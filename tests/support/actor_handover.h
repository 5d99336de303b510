// SPDX-License-Identifier: Apache-2.0
//
// Connections that go on in another process than the one that began them. The parent waits for that process and ends
// with a failure when it fails.
#pragma once

#include <string>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope::actor {

/// Forks. The child, which ends with the program, gets false; the parent closes its copies, waits for the child and
/// gets true.
bool leave_to_child(std::vector<UniqueFd>& connections);

/// Starts `path` as "receive CHANNEL --do STEPS" and sends it the connection over a socket, by SCM_RIGHTS.
void pass_connection(UniqueFd connection, const std::string& path, const std::vector<std::string>& steps);
UniqueFd receive_connection(int channel);

}  // namespace connscope::actor
