// SPDX-License-Identifier: Apache-2.0
//
// Addresses to listen on, as `--web.listen-address` has them. Any thread; may ask the resolver, so it may block when a
// host is a name.
#pragma once

#include <string>

#include "agent/base/result.h"

namespace connscope::http {

struct ListenAddress {
  std::string civetweb;  ///< for CivetWeb's option `listening_ports`: "127.0.0.1:9752", "[::1]:9752", "+9752"
  std::string host;      ///< for a URL: "127.0.0.1", "[::1]", "localhost"
};

/// `address`: "127.0.0.1:9752", "[::1]:9752", "localhost:9752" (the first IPv4 address of the name, or its first), or
/// ":9752": all addresses, IPv4 and, where `ipv6` and the kernel have it, IPv6; its URL says "localhost". Port 0 is any
/// free one. `ipv6` says whether the server can listen on IPv6.
/// The address is bound for a moment, so errors carry the errno that CivetWeb would hide. They name the address.
Result<ListenAddress> check_listen_address(const std::string& address, bool ipv6);

/// Where a TCP socket is bound, as a URL has it: "127.0.0.1:9752", "[::1]:9752".
Result<std::string> address_of(int socket);

}  // namespace connscope::http
