// SPDX-License-Identifier: Apache-2.0
//
// One connect or accept through io_uring, by the raw system calls: the program makes no connect() or accept() call.
#pragma once

#include "tests/support/actor_socket.h"

namespace connscope::actor {

/// Submits one IORING_OP_CONNECT and waits for its completion; the error as errno, 0 for success.
int connect_by_io_uring(int fd, const Address& peer);

/// Submits one IORING_OP_ACCEPT and waits for its completion; the accepted socket.
UniqueFd accept_by_io_uring(int listener);

}  // namespace connscope::actor
