// SPDX-License-Identifier: Apache-2.0
//
// TlsLabels: label values that peers choose, with their limits: ciphers, alerts, names of servers. Owned by the probe
// and lent to its cells; the collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "agent/base/result.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

class TlsLabels {
 public:
  /// `hosts`: how many names of servers are shown; 0: the label is off.
  TlsLabels(bool wants_ciphers, std::size_t hosts) : ciphers_(wants_ciphers ? kCiphers : 0), hosts_(hosts) {}

  /// Empty for 0: no ServerHello came, or the label is off.
  std::string cipher(std::uint16_t cipher);
  std::string alert(std::uint8_t alert);
  /// By the kernel half's number for it; empty for 0: the client has named none.
  std::string host(std::uint32_t number);
  /// Reads from the map `tls_hosts` what the numbers stand for, if the label is on.
  Status learn_hosts(int map_fd);

 private:
  static constexpr std::size_t kCiphers = 64;
  static constexpr std::size_t kAlerts = 64;
  LimitedLabel ciphers_;
  LimitedLabel alerts_{kAlerts};
  LimitedLabel hosts_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace connscope::bpf
