// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_steps.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/support/actor_arguments.h"
#include "tests/support/actor_handover.h"
#include "tests/support/actor_input.h"
#include "tests/support/actor_socket.h"

namespace connscope::actor {
namespace {

constexpr std::size_t kChunk = 4096;
using Chunk = std::array<char, kChunk>;

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

void send_bytes(int fd, std::size_t left) {
  const Chunk bytes{};
  while (left > 0) {
    const ssize_t sent = ::send(fd, bytes.data(), std::min(left, bytes.size()), MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    left -= static_cast<std::size_t>(sent);
  }
}

/// At most `limit` bytes; 0 at the peer's end.
std::size_t read_some(int fd, Chunk& bytes, std::size_t limit) {
  const ssize_t size = ::recv(fd, bytes.data(), std::min(limit, bytes.size()), 0);
  if (size < 0) fail("recv");
  return static_cast<std::size_t>(size);
}

void read_bytes(int fd, std::size_t left) {
  Chunk bytes{};
  while (left > 0) {
    const std::size_t size = read_some(fd, bytes, left);
    if (size == 0) die("the peer ended too early");
    left -= size;
  }
}

void read_to_end(int fd, bool send_back) {
  Chunk bytes{};
  while (const std::size_t size = read_some(fd, bytes, kChunk)) {
    if (send_back) send_bytes(fd, size);
  }
}

void exchange(int fd, std::size_t left) {
  while (left > 0) {
    const std::size_t size = std::min(left, kChunk);
    send_bytes(fd, size);
    read_bytes(fd, size);
    left -= size;
  }
}

/// For what no descriptor event tells.
template <class Condition>
void await(Condition&& condition) {
  while (!condition()) ::usleep(1000);
}

int queued(int fd, unsigned long request) {
  int bytes = 0;
  if (::ioctl(fd, request, &bytes) != 0) fail("ioctl");
  return bytes;
}

/// All that was let through is acknowledged, and there is more: only a window that is shut does that.
bool is_stalled(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) fail("TCP_INFO");
  return info.tcpi_unacked == 0 && queued(fd, TIOCOUTQ) > 0;
}

void fill(int fd) {
  const Chunk bytes{};
  std::int64_t filled = 0;
  await([&] {
    for (;;) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EAGAIN) break;
      if (sent < 0) fail("send");
      filled += sent;
    }
    return is_stalled(fd);
  });
  print_result("filled", filled);
}

void set_keepalive(int fd) {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
}

/// Steps that move bytes; false when `step` is none of them.
bool move_bytes(int fd, const Step& step) {
  if (step.name == "send") {
    send_bytes(fd, step.bytes());
  } else if (step.name == "read") {
    read_bytes(fd, step.bytes());
  } else if (step.name == "exchange") {
    exchange(fd, step.bytes());
  } else if (step.name == "echo" || step.name == "eof") {
    read_to_end(fd, step.name == "echo");
  } else if (step.name == "fill") {
    fill(fd);
  } else {
    return false;
  }
  return true;
}

bool wait_on(int fd, const Step& step) {
  if (step.name == "acked") {
    await([fd] { return queued(fd, TIOCOUTQ) == 0; });
  } else if (step.name == "readable") {
    await([fd, &step] { return queued(fd, FIONREAD) >= step.number(); });
  } else if (step.name == "hangup") {
    await_events(fd, POLLRDHUP);
  } else if (step.name == "error") {
    await_events(fd, 0);
    print_result(result_name(take_socket_error(fd)), 0);
  } else {
    return false;
  }
  return true;
}

bool change(UniqueFd& connection, const Step& step) {
  const int fd = connection.get();
  if (step.name == "half") {
    if (::shutdown(fd, SHUT_WR) != 0) fail("shutdown");
  } else if (step.name == "close") {
    connection.reset();
  } else if (step.name == "reset") {
    reset_on_close(fd);
    connection.reset();
  } else if (step.name == "keepalive") {
    set_keepalive(fd);
  } else if (step.name == "user-timeout") {
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(step.number()));
  } else {
    return false;
  }
  return true;
}

/// Steps that are done once, whatever connections there are.
bool communicate(const Step& step) {
  if (step.name == "say") {
    print_result(step.value, 0);
  } else if (step.name == "line") {
    await_line();
  } else if (step.name == "end") {
    await_end_of_input();
  } else {
    return false;
  }
  return true;
}

/// The rest is done by another process, and over when this returns.
void hand_over(Connections& connections, const Step& step, const std::vector<std::string>& rest) {
  if (step.name == "pass") {
    if (connections.size() != 1) die("pass is for one connection");
    pass_connection(std::move(connections.front()), step.value, rest);
  } else if (!leave_to_child(connections)) {
    run_steps(connections, rest);
    ::_exit(0);
  }
}

}  // namespace

void run_steps(Connections& connections, const std::vector<std::string>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step step = parse_step(steps[i]);
    if (communicate(step)) continue;
    if (step.name == "fork" || step.name == "pass") {
      hand_over(connections, step, {steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, steps.end()});
      return;
    }
    for (UniqueFd& connection : connections) {
      if (move_bytes(connection.get(), step) || wait_on(connection.get(), step) || change(connection, step)) continue;
      die("no such step: " + steps[i]);
    }
  }
}

int run_received(int channel, const std::vector<std::string>& steps) {
  Connections connections;
  connections.push_back(receive_connection(channel));
  run_steps(connections, steps);
  return 0;
}

}  // namespace connscope::actor
