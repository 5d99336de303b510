// SPDX-License-Identifier: Apache-2.0
#include "exporters/stream_sender.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "agent/base/unique_fd.h"

namespace connscope::exporters {
namespace {

using Clock = std::chrono::steady_clock;

Status write_all(int socket, std::string_view payload, Clock::time_point deadline) {
  while (!payload.empty()) {
    const ssize_t sent = ::send(socket, payload.data(), payload.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      payload.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto waited = wait_for(socket, POLLOUT, deadline); !waited) return waited;
    } else if (errno != EINTR) {
      return Error::from_errno("send", errno);
    }
  }
  return {};
}

/// What it says meanwhile is thrown away.
Status wait_for_close(int socket, Clock::time_point deadline) {
  std::array<char, 4096> thrown_away;  // NOLINT(*-member-init)
  for (;;) {
    if (auto waited = wait_for(socket, POLLIN, deadline); !waited) return waited;
    const ssize_t length = ::recv(socket, thrown_away.data(), thrown_away.size(), MSG_DONTWAIT);
    if (length == 0) return {};
    if (length < 0 && errno != EAGAIN && errno != EINTR) return Error::from_errno("recv", errno);
  }
}

Status deliver(int socket, std::string_view payload, Clock::time_point deadline) {
  if (auto written = write_all(socket, payload, deadline); !written) return written;
  if (::shutdown(socket, SHUT_WR) != 0) return Error::from_errno("shutdown", errno);
  return wait_for_close(socket, deadline);
}

}  // namespace

Status StreamSender::send(std::string_view payload) const {
  const auto deadline = Clock::now() + timeout_;
  const auto socket = connect_to(address_, SOCK_STREAM, timeout_);
  if (!socket) return socket.error().context(address_.text());
  auto delivered = deliver(socket->get(), payload, deadline);
  return delivered ? delivered : delivered.error().context(address_.text());
}

}  // namespace connscope::exporters
