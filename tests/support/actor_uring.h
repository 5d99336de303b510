// SPDX-License-Identifier: Apache-2.0
//
// One connect through io_uring, by the raw system calls: no connect() call is ever made by the program.
#pragma once

#include "tests/support/actor_socket.h"

namespace connscope::actor {

/// Submits one IORING_OP_CONNECT and waits for its completion; the error as errno, 0 for success.
int connect_by_io_uring(int fd, const Address& peer);

}  // namespace connscope::actor
