// SPDX-License-Identifier: Apache-2.0
//
// Label values of the TCP families: those of every owner, and from a listener's port to `listener`, which can grow, so it has a
// limit too.
//
// Owned by the probe and lent to its parts. The collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "agent/identity/identity_table.h"
#include "bpf/owners/owners.h"
#include "bpf/tcp/tcp.h"

namespace connscope::bpf {

class TcpLabels final : public Owners {
 public:
  /// `identities` must outlive it.
  TcpLabels(identity::IdentityTable& identities, std::size_t netns_limit, std::size_t listener_limit)
      : Owners(identities, netns_limit), listeners_(listener_limit) {}

  [[nodiscard]] bool shows_listeners() const { return listeners_.is_on(); }
  /// A pass has seen a listener there.
  void learn_listener(std::uint32_t netns, std::uint16_t port, const listen_address& address);
  /// "10.0.0.1:80" or "[::]:80"; "*:80" when nobody or several are known to listen on that port.
  std::string listener_of(std::uint64_t identity, std::uint16_t port);

 private:
  LimitedLabel listeners_;
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::string> addresses_;  // by namespace and port
};

}  // namespace connscope::bpf
