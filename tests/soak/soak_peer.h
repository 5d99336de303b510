// SPDX-License-Identifier: Apache-2.0
//
// What both sides of the soak's connections share: their messages, their tallies, and how they are asked to end.
#pragma once

#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace connscope::soak {

constexpr std::size_t kMessageSize = 64;
using Message = std::array<char, kMessageSize>;

/// The first character of a message: what its server shall do.
enum Wish : char { kEcho = 'e', kClose = 'c', kReset = 'r' };

/// What one side of the connections has seen. The closes go by who closed first, and how.
struct Tally {
  std::uint64_t connects = 0;
  std::uint64_t refused = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t accepts = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t local_fin = 0;
  std::uint64_t remote_fin = 0;
  std::uint64_t local_reset = 0;
  std::uint64_t remote_reset = 0;

  void print() const {
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(R"({"connects": %llu, "refused": %llu, "timed_out": %llu, "accepts": %llu, "received": %llu, )"
                R"("sent": %llu, "local_fin": %llu, "remote_fin": %llu, "local_reset": %llu, "remote_reset": %llu})"
                "\n",
                number(connects), number(refused), number(timed_out), number(accepts), number(received), number(sent),
                number(local_fin), number(remote_fin), number(local_reset), number(remote_reset));
  }
};

/// SIGTERM stays blocked and is asked for where a program waits anyway, so no call is ever interrupted by it.
inline sigset_t ending() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

inline void reset_on_close(int socket) {
  const linger abrupt{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &abrupt, sizeof(abrupt));
}

}  // namespace connscope::soak
