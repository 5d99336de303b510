// SPDX-License-Identifier: Apache-2.0
//
// DatagramSender: datagrams to one receiver, by UDP or to a unix socket. The address is looked up, and the socket made,
// with the first datagram, and anew after an error, so that a receiver may come late, go, and come back elsewhere. One
// thread; blocks for kPatience at most where the receiver's queue is full. Source: udp(7), unix(7).
#pragma once

#include <chrono>
#include <string_view>
#include <utility>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "exporters/socket_address.h"

namespace connscope::exporters {

class DatagramSender {
 public:
  static constexpr std::chrono::seconds kPatience{1};

  explicit DatagramSender(SocketAddress address) : address_(std::move(address)) {}

  /// One datagram. The error names the receiver.
  Status send(std::string_view payload);

 private:
  Status open();

  SocketAddress address_;
  UniqueFd socket_;
};

}  // namespace connscope::exporters
