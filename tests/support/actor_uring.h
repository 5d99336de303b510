// SPDX-License-Identifier: Apache-2.0
//
// One connect, accept or send through io_uring, by the raw system calls: the program makes no connect(), accept() or
// send() call.
#pragma once

#include "tests/support/actor_socket.h"

namespace connscope::actor {

/// Submits one IORING_OP_CONNECT and waits for its completion; the error as errno, 0 for success.
int connect_by_io_uring(int fd, const Address& peer);

/// Submits one IORING_OP_ACCEPT and waits for its completion; the accepted socket.
UniqueFd accept_by_io_uring(int listener);

/// Submits one IORING_OP_SENDMSG and waits for its completion; `elsewhere` has a worker thread of the kernel do it.
/// The bytes sent.
std::size_t send_by_io_uring(int fd, const msghdr& message, bool elsewhere);

}  // namespace connscope::actor
