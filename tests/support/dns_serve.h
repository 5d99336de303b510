// SPDX-License-Identifier: Apache-2.0
//
// The server that dns_actor can be: one thread on UDP and TCP, on several addresses, that does what dns_script.h says.
#pragma once

#include <vector>

#include "tests/support/actor_socket.h"

namespace connscope::actor {

/// Prints "listening PORT", the first one's, and serves until it is killed.
[[noreturn]] void run_dns_server(const std::vector<Address>& addresses);

}  // namespace connscope::actor
