// SPDX-License-Identifier: Apache-2.0
//
// RawPeer: a TCP peer made of single packets, behind a TUN device, so that segments can come in any order, several
// times, or with numbers that are wrong. It answers one connect and leaves the rest to the test. Needs root. One
// thread, which is in the namespace of the device while a connect is made.
#pragma once

#include <cstdint>
#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/support/netns.h"

namespace connscope::testing {

class RawPeer {
 public:
  /// Makes the device in the namespace, and a socket of it that is connected to the peer.
  static Result<RawPeer> connected(const NetNamespace& where);

  [[nodiscard]] const UniqueFd& socket() const { return socket_; }
  /// A segment with `bytes`, which stand at `offset` of all that the peer sends; `flags` beside ACK.
  Status send(std::uint32_t offset, const std::string& bytes, std::uint8_t flags = 0);
  /// Waits until the socket has sent `bytes` more, and acknowledges those.
  Status await(std::size_t bytes);

  static constexpr std::uint8_t kFin = 0x01;
  static constexpr std::uint8_t kReset = 0x04;

 private:
  struct Segment {
    std::uint16_t source = 0;
    std::uint16_t dest = 0;
    std::uint32_t sequence = 0;
    std::uint8_t flags = 0;
    std::size_t payload = 0;
  };
  Status open_device(const NetNamespace& where);
  Status answer_connect();
  /// The next segment of TCP over IPv4.
  Result<Segment> receive() const;
  Status write_segment(std::uint32_t sequence, std::uint8_t flags, const std::string& bytes) const;

  UniqueFd device_;
  UniqueFd socket_;
  std::uint16_t port_ = 0;          // of the socket
  std::uint32_t acknowledged_ = 0;  // the next byte of the socket
};

}  // namespace connscope::testing
