// SPDX-License-Identifier: Apache-2.0
//
// Label values of the dns families beside their owners': types of records, and servers where the config asks for them. Both can
// grow, so each has a limit of values, past which values fold into "other". The collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "agent/base/result.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

class DnsLabels {
 public:
  /// `server_limit` = 0: no label `server`.
  explicit DnsLabels(std::size_t server_limit) : servers_(server_limit) {}

  /// "AAAA"; "TYPE65400" for one without a mnemonic, as long as those are few.
  std::string qtype(std::uint16_t type);
  /// "192.0.2.1", by the kernel half's number for it.
  std::string server(std::uint32_t number);
  /// Reads from the map `dns_servers` what the numbers stand for, if the label is on.
  Status learn_servers(int map_fd);

 private:
  static constexpr std::size_t kUnnamedTypes = 32;
  LimitedLabel unnamed_types_{kUnnamedTypes};
  LimitedLabel servers_;
  std::unordered_map<std::uint32_t, std::string> addresses_;
};

}  // namespace connscope::bpf
