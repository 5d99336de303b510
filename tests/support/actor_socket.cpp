// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "tests/support/actor_arguments.h"

namespace connscope::actor {

Address make_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof(*v4);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof(*v6);
  } else {
    die("not an address: " + text);
  }
  return address;
}

UniqueFd make_tcp_socket(int family, bool mptcp) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, mptcp ? IPPROTO_MPTCP : IPPROTO_TCP));
  if (!fd) die(std::string("socket: ") + std::strerror(errno));
  return fd;
}

void set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof(value)) != 0)
    die(std::string("setsockopt: ") + std::strerror(errno));
}

void set_nonblocking(int fd) {
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die(std::string("fcntl: ") + std::strerror(errno));
}

void set_buffers(int fd, int receive, int send) {
  if (receive != 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, receive);
  if (send != 0) set_option(fd, SOL_SOCKET, SO_SNDBUF, send);
}

void reset_on_close(int fd) {
  const linger at_once{1, 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0) {
    die(std::string("SO_LINGER: ") + std::strerror(errno));
  }
}

bool await_writable(int fd, long timeout_ms) {
  const std::int64_t end_us = now_us() + timeout_ms * 1000;
  for (;;) {
    const std::int64_t left_ms = timeout_ms < 0 ? -1 : (end_us - now_us() + 999) / 1000;
    pollfd waiting{fd, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left_ms < -1 ? 0 : left_ms));
    if (ready >= 0) return ready == 1;
    if (errno != EINTR) die(std::string("poll: ") + std::strerror(errno));
  }
}

void await_events(int fd, short events) {
  pollfd waiting{fd, events, 0};
  while (::poll(&waiting, 1, -1) < 0) {
    if (errno != EINTR) die(std::string("poll: ") + std::strerror(errno));
  }
}

std::uint16_t local_port(int fd) {
  sockaddr_in6 local{};
  socklen_t size = sizeof(local);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    die(std::string("getsockname: ") + std::strerror(errno));
  }
  return ntohs(local.sin6_port);
}

int take_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) die(std::string("SO_ERROR: ") + std::strerror(errno));
  return error;
}

std::int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

void print_result(std::string_view word, std::int64_t duration_us) {
  const std::string line = std::string(word) + " " + std::to_string(duration_us) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) die("write to stdout");
}

std::string_view result_name(int error) {
  if (error == 0) return "ok";
  const char* name = ::strerrorname_np(error);
  return name == nullptr ? "unknown" : name;
}

}  // namespace connscope::actor
