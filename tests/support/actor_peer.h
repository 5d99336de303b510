// SPDX-License-Identifier: Apache-2.0
//
// The other ends that tcp_actor can be: a listener, a peer that resets a simultaneous open, and a program whose
// socket calls look like connects but are none.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/actor_options.h"

namespace connscope::actor {

/// Prints "listening PORT" and then accepts and closes until it is killed. Never returns.
[[noreturn]] void run_listen(const ListenOptions& options);

/// Answers the first SYN to `port` with a SYN of its own, as a peer does that connects at the same time, and resets
/// the connection after that. Prints "watching 0" when it is ready. The port must be dropped by the firewall, so that
/// the kernel does not answer itself. IPv4 only.
int run_reset_peer(std::uint16_t port);

/// Makes one successful connect to `open_port`, one that it gives up to `dropped_port`, and around them calls that are
/// no TCP attempt: connect on a connected, a connecting, a datagram and a local socket, and on no socket. Prints what
/// each said.
int run_misuse(const std::string& address, std::uint16_t open_port, std::uint16_t dropped_port);

}  // namespace connscope::actor
