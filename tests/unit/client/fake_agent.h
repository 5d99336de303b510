// SPDX-License-Identifier: Apache-2.0
//
// The agent's end of the socket, for tests of the client. One thread at a time.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope::client {

/// Stands for the agent: takes packets, and answers with their lines.
class Agent {
 public:
  explicit Agent(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    ::unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fd_.reset();
  }
  [[nodiscard]] bool is_bound() const { return static_cast<bool>(fd_); }
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    for (std::string packet = receive(); !packet.empty(); packet = receive()) {
      ++packets_;
      for (std::size_t at = 0; at < packet.size(); at = packet.find('\n', at) + 1)
        all.push_back(packet.substr(at, packet.find('\n', at) - at));
    }
    return all;
  }
  /// The sum of the values of a counter's lines, those that came before among them.
  std::uint64_t total(const std::string& name) {
    for (const std::string& line : lines()) {
      if (!line.starts_with(name + ":")) continue;
      std::uint64_t value = 0;
      std::from_chars(line.data() + name.size() + 1, line.data() + line.size(), value);
      totals_[name] += value;
    }
    return totals_[name];
  }
  [[nodiscard]] int packets() const { return packets_; }

 private:
  std::string receive() {
    std::array<char, 65536> bytes{};
    const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : "";
  }

  UniqueFd fd_;
  int packets_ = 0;
  std::map<std::string, std::uint64_t> totals_;
};

}  // namespace connscope::client
