// SPDX-License-Identifier: Apache-2.0
//
// The ways in which a program can send its queries.
#pragma once

#include <string>
#include <vector>

#include "tests/support/actor_socket.h"
#include "tests/support/dns_wire.h"

namespace connscope::actor {

struct DnsSender {
  explicit DnsSender(const Address& to) : server(to) {}

  /// UDP: one datagram a message. TCP: all of them in one stream, in segments of `piece` bytes where the socket has
  /// TCP_NODELAY.
  void send(int fd, const std::vector<Bytes>& messages, std::size_t piece) const;

  Address server;
  /// "sendto", "write", "sendmsg", "sendmmsg", "uring" or "uring-worker".
  std::string method = "sendto";
  bool is_stream = false;
  /// A stream that is not connected yet is, by its first bytes.
  bool is_connected = false;

 private:
  void send_one(int fd, const Bytes& bytes) const;
  void send_together(int fd, const std::vector<Bytes>& messages) const;
  /// `part` lies in `bytes` while the result is used.
  [[nodiscard]] msghdr header_of(const Bytes& bytes, iovec& part) const;
};

}  // namespace connscope::actor
