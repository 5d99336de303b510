// SPDX-License-Identifier: Apache-2.0
//
// Listening TCP sockets from addresses as `--web.listen-address` has them. Any thread; may ask the resolver, so it may
// block when a host is a name.
#pragma once

#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::http {

struct Listener {
  UniqueFd socket;  ///< non-blocking, listening
  std::string url;  ///< "http://127.0.0.1:9752", with the port that the kernel chose when 0 was asked for
};

/// `address`: "127.0.0.1:9752", "[::1]:9752", "localhost:9752" (the first IPv4 address of the name, or its first), or
/// ":9752": all addresses, IPv6 and IPv4, in one socket (IPv4 alone where the kernel has no IPv6); its URL says
/// "localhost". Port 0 is any free one. Errors name the address, and carry errno when a system call failed.
Result<Listener> open_listener(const std::string& address);

}  // namespace connscope::http
