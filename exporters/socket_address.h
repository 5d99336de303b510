// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: where a receiver is that is no web server: a host and port, or the path of a unix socket. Values; any
// thread. Source: udp(7), tcp(7), unix(7).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/config/document.h"

namespace connscope::exporters {

struct SocketAddress {
  std::string host;
  std::string port;
  std::string path;

  /// "HOST:PORT", "[IPV6]:PORT" or "unix:/PATH"; nothing when it is none of these.
  static std::optional<SocketAddress> parse(std::string_view text);
  /// The key of a section, with `fallback` where it lacks. Problems go to the document.
  static SocketAddress parse(const config::Section& section, std::string_view key, std::string_view fallback);
  [[nodiscard]] std::string text() const;
};

/// A socket of this type (SOCK_DGRAM, SOCK_STREAM) that is connected to the first of the host's addresses that takes
/// it. Each of them, and each write later on, is given up after `patience`. The error does not name the address.
[[nodiscard]] Result<UniqueFd> connect_to(const SocketAddress& address, int type, std::chrono::milliseconds patience);

/// Waits until the socket can be written to (POLLOUT) or read from (POLLIN).
[[nodiscard]] Status wait_for(int socket, short events, std::chrono::steady_clock::time_point deadline);

}  // namespace connscope::exporters
