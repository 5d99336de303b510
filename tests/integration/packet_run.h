// SPDX-License-Identifier: Apache-2.0
//
// Packets put together by hand, and the agent's packet programs run on them by the kernel (BPF_PROG_TEST_RUN), each as
// sent or got by a socket that nobody has had before. Needs root. One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "agent/base/unique_fd.h"
#include "tests/support/packet_neighbour.h"

namespace connscope::testing {

/// What a packet program says of every packet.
inline constexpr int kPass = 1;

/// In two bytes, the higher one first.
std::string number(std::size_t value);
std::string udp_packet(std::uint16_t from, std::uint16_t to, const std::string& message);
std::string tcp_packet(std::uint16_t from, std::uint16_t to, const std::string& stream);

/// The agent's program of that name among those at the cgroup.
UniqueFd program_at(const std::string& root, Direction direction, const std::string& name);
/// What the program says of the packet.
int run(const UniqueFd& program, const std::string& packet);

}  // namespace connscope::testing
