// SPDX-License-Identifier: Apache-2.0
//
// StreamSender: a text to one receiver over a connection of its own, for protocols in which a receiver never answers.
// What a socket has taken has not arrived; so this side of the connection is closed after the last byte, and the
// receiver's close, which comes when it has read up to there, is waited for. One thread. Source: tcp(7), shutdown(2).
#pragma once

#include <chrono>
#include <string_view>
#include <utility>

#include "agent/base/result.h"
#include "exporters/socket_address.h"

namespace connscope::exporters {

class StreamSender {
 public:
  StreamSender(SocketAddress address, std::chrono::milliseconds timeout)
      : address_(std::move(address)), timeout_(timeout) {}

  /// All of it within the timeout, or an error that names the receiver; then some of it may have arrived.
  Status send(std::string_view payload) const;

 private:
  SocketAddress address_;
  std::chrono::milliseconds timeout_;
};

}  // namespace connscope::exporters
