// SPDX-License-Identifier: Apache-2.0
//
// What the programs that make a load share: addresses, ports of their own, whole messages, and the CPU time that the
// load took.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::load {

using Clock = std::chrono::steady_clock;

inline Clock::time_point after_seconds(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// The host in host order, the port in network order: as getsockname gives it.
inline sockaddr_in address(std::uint32_t host, in_port_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(host);
  result.sin_port = port;
  return result;
}

inline const sockaddr* plain(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// A bound socket, and the port that the kernel gave it.
struct Port {
  UniqueFd socket;
  in_port_t number = 0;

  static Result<Port> create(std::uint32_t host = INADDR_ANY) {
    Port port{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
    auto where = address(host, 0);
    socklen_t size = sizeof(where);
    if (!port.socket || ::bind(port.socket.get(), plain(where), size) != 0 ||
        ::getsockname(port.socket.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0) {
      return Error::from_errno("bind", errno);
    }
    port.number = where.sin_port;
    return port;
  }

  static Result<Port> listening(int backlog, std::uint32_t host = INADDR_ANY) {
    auto port = create(host);
    if (port && ::listen(port->socket.get(), backlog) != 0) return Error::from_errno("listen", errno);
    return port;
  }
};

inline Result<UniqueFd> connect_to(std::uint32_t host, in_port_t port) {
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto where = address(host, port);
  if (!client || ::connect(client.get(), plain(where), sizeof(where)) != 0) return Error::from_errno("connect", errno);
  return client;
}

inline Result<UniqueFd> accept_from(int listener) {
  UniqueFd server(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!server) return Error::from_errno("accept", errno);
  return server;
}

/// The whole message from one socket to the other, which only this thread reads.
inline Status carry(int from, int to, std::vector<char>& message) {
  const auto size = static_cast<ssize_t>(message.size());
  if (::send(from, message.data(), message.size(), MSG_NOSIGNAL) != size) return Error::from_errno("send", errno);
  if (::recv(to, message.data(), message.size(), MSG_WAITALL) != size) return Error::from_errno("receive", errno);
  return {};
}

/// The part of `whole` that worker `index` of so many takes.
inline std::uint64_t share(std::uint64_t whole, std::size_t workers, std::size_t index) {
  return whole / workers + (index < whole % workers ? 1 : 0);
}

/// User and system time of this process with all its threads.
inline double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What a load did, for the scripts: the agent must have counted just that.
struct Figures {
  std::uint64_t operations;
  std::uint64_t connects;
  std::uint64_t accepts;
  std::uint64_t bytes;  // of payload, each way
  double seconds;
  double cpu_seconds;
};

/// One line of JSON.
inline void print(const Figures& figures) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const double count = static_cast<double>(std::max<std::uint64_t>(figures.operations, 1));
  std::printf(R"({"operations": %llu, "connects": %llu, "accepts": %llu, "bytes_each_way": %llu, "seconds": %.6f, )"
              R"("operations_per_second": %.1f, "cpu_us_per_operation": %.3f})"
              "\n",
              number(figures.operations), number(figures.connects), number(figures.accepts), number(figures.bytes),
              figures.seconds, static_cast<double>(figures.operations) / figures.seconds,
              figures.cpu_seconds * 1e6 / count);
}

}  // namespace connscope::load
