// SPDX-License-Identifier: Apache-2.0
//
// Sockets on loopback, and a DNS exchange between two of them, all in the calling thread. A failure fails the test that
// runs. No state; any thread.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>

#include "agent/base/unique_fd.h"

namespace connscope::testing {

[[nodiscard]] sockaddr_in loopback(std::uint16_t port);
/// A socket of that type at a free port of loopback, or at that one.
[[nodiscard]] UniqueFd bound(int type, std::uint16_t port = 0);

/// A query for blocked.example, type A, and what a server at `port` says to it after a while: an address, the error
/// `rcode`, or nothing where that is < 0.
void exchange_dns(std::uint16_t port, std::uint16_t id, int rcode, std::chrono::milliseconds after);

}  // namespace connscope::testing
