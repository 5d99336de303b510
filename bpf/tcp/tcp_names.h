// SPDX-License-Identifier: Apache-2.0
//
// Label values of the tcp probe, in the order of the enums in tcp.h.
#pragma once

#include <array>

#include "bpf/tcp/tcp.h"

namespace connscope::bpf {

inline constexpr std::array<const char*, TCP_FAMILIES> kFamilyNames = {"ipv4", "ipv6"};
inline constexpr std::array<const char*, TCP_ROLES> kRoleNames = {"client", "server"};
inline constexpr std::array<const char*, CONNECT_OUTCOMES> kOutcomeNames = {
    "ok",     "refused",          "timeout",     "host_unreachable", "net_unreachable", "reset",
    "denied", "addr_unavailable", "addr_in_use", "other_errno",      "aborted"};
inline constexpr std::array<const char*, TCP_CLOSES> kCloseNames = {"local_fin", "remote_fin", "local_reset",
                                                                    "remote_reset", "timeout"};
inline constexpr std::array<const char*, TCP_FAILURES> kFailureNames = {
    "",          "reset_established", "keepalive_timeout", "retransmit_timeout", "user_timeout", "zero_window_timeout",
    "destroyed"};

}  // namespace connscope::bpf
