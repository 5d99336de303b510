// SPDX-License-Identifier: Apache-2.0
//
// The sockets that applications write to: a datagram socket in the file system, which knows its senders, and UDP on
// loopback for those that can do no better. Errors name the path or address. One thread at a time.
// Sources: unix(7), udp(7), socket(7).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::ingest {

/// A bound datagram socket whose file goes with it.
class UnixSocket {
 public:
  /// Makes the folder if it lacks. The file of an agent that is gone is replaced; one that still receives is an error.
  static Result<UnixSocket> bind(const std::string& path, mode_t mode);

  UnixSocket(UnixSocket&& other) noexcept = default;
  UnixSocket& operator=(UnixSocket&&) = delete;
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;
  ~UnixSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  UnixSocket(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct LoopbackAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// 127.X.X.X:PORT or [::1]:PORT.
[[nodiscard]] std::optional<LoopbackAddress> parse_loopback(std::string_view text);

Result<UniqueFd> bind_udp(const std::string& address);

/// Datagrams that the kernel dropped since the socket's queue was full.
[[nodiscard]] std::uint64_t dropped_by_kernel(int fd);

}  // namespace connscope::ingest
