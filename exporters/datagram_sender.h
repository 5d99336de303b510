// SPDX-License-Identifier: Apache-2.0
//
// DatagramSender: datagrams to one receiver, by UDP or to a unix socket. The address is looked up, and the socket made,
// with the first datagram, and anew after an error, so that a receiver may come late, go, and come back elsewhere. One
// thread; blocks for ReportExporter::kMaxBlocking at most where the receiver's queue is full.
// Source: udp(7), unix(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::exporters {

/// Where datagrams go: a host and port, or the path of a unix socket.
struct DatagramAddress {
  std::string host;
  std::string port;
  std::string path;

  /// "HOST:PORT", "[IPV6]:PORT" or "unix:/PATH"; nothing when it is none of these.
  static std::optional<DatagramAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

class DatagramSender {
 public:
  explicit DatagramSender(DatagramAddress address) : address_(std::move(address)) {}

  /// One datagram. The error names the receiver.
  Status send(std::string_view payload);

 private:
  Status open();

  DatagramAddress address_;
  UniqueFd socket_;
};

}  // namespace connscope::exporters
