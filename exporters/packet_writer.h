// SPDX-License-Identifier: Apache-2.0
//
// PacketWriter: corks lines into few packets (FEATURES P17). Lines of one group stay in one packet, and in their order,
// since datagrams may come in another. What is too long for a packet is refused and counted, never cut. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/result.h"

namespace connscope::exporters {

class PacketWriter {
 public:
  using Send = std::function<Status(std::string_view packet)>;

  PacketWriter(std::size_t max_bytes, Send send) : max_bytes_(max_bytes), send_(std::move(send)) {}

  /// Lines with a line feed between them, none after the last.
  void add(std::string_view group);
  /// Sends what waits. After an error nothing more is sent.
  void flush();

  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  std::size_t max_bytes_;
  Send send_;
  std::string packet_;
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t refused_ = 0;
  Status status_;
};

}  // namespace connscope::exporters
