// SPDX-License-Identifier: Apache-2.0
//
// Network namespaces of the tests. They have no name: only the descriptor keeps one alive, so that it is gone with the
// test however that ends. Needs root, and the programs `ip` and `nft`. One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/support/process.h"

namespace connscope::testing {

class NetNamespace {
 public:
  /// A new namespace with its loopback device up.
  static Result<NetNamespace> create();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// How another program can name this namespace while the test runs.
  [[nodiscard]] std::string path() const;
  /// Lines for `ip -batch -`, run inside.
  Status ip(std::string_view commands) const;
  /// A ruleset for `nft -f -`, run inside.
  Status nft(std::string_view rules) const;
  /// Writes /proc/sys/`key` of this namespace; `key` has slashes ("net/ipv4/tcp_syn_retries").
  Status set_sysctl(const std::string& key, const std::string& value) const;
  Result<std::string> read_sysctl(const std::string& key) const;

 private:
  explicit NetNamespace(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Two namespaces joined by a veth pair: `client` has 10.77.0.1 and fd77::1, `server` 10.77.0.2 and fd77::2, on veth0
/// of each. Connects in `client` give up after about three seconds, neighbours are given up after a fifth of a second.
struct NamespacePair {
  NetNamespace client;
  NetNamespace server;

  static Result<NamespacePair> create();
};

}  // namespace connscope::testing
