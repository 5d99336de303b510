// SPDX-License-Identifier: Apache-2.0
#include "exporters/datagram_sender.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace connscope::exporters {

Status DatagramSender::open() {
  if (socket_) return {};
  auto socket = connect_to(address_, SOCK_DGRAM, kPatience);
  if (!socket) return socket.error();
  socket_ = std::move(*socket);
  return {};
}

Status DatagramSender::send(std::string_view payload) {
  if (auto opened = open(); !opened) return opened.error().context(address_.text());
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), payload.data(), payload.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  const int code = errno;
  // A full queue is the same receiver's later on; after any other error it may be somewhere else.
  if (code != EAGAIN && code != ENOBUFS) socket_.reset();
  if (code == EAGAIN) return Error(address_.text() + ": takes nothing, its queue is full", code);
  return Error::from_errno(address_.text(), code);
}

}  // namespace connscope::exporters
