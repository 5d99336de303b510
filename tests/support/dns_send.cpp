// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_send.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/support/actor_arguments.h"
#include "tests/support/actor_uring.h"

namespace connscope::actor {
namespace {

constexpr useconds_t kBetweenPiecesUs = 500;

}  // namespace

msghdr DnsSender::header_of(const Bytes& bytes, iovec& part) const {
  part = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!is_connected) {
    header.msg_name = const_cast<sockaddr*>(server.get());
    header.msg_namelen = server.length;
  }
  return header;
}

void DnsSender::send_one(int fd, const Bytes& bytes) const {
  iovec part{};
  const msghdr header = header_of(bytes, part);
  ssize_t sent = -1;
  if (is_stream && !is_connected) {
    sent = ::sendto(fd, bytes.data(), bytes.size(), MSG_FASTOPEN | MSG_NOSIGNAL, server.get(), server.length);
  } else if (method == "sendto") {
    sent = ::sendto(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, is_connected ? nullptr : server.get(),
                    is_connected ? 0 : server.length);
  } else if (method == "write") {
    sent = ::write(fd, bytes.data(), bytes.size());
  } else if (method == "sendmsg") {
    sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
  } else if (method == "uring" || method == "uring-worker") {
    sent = static_cast<ssize_t>(send_by_io_uring(fd, header, method == "uring-worker"));
  } else {
    die("no such way to send: " + method);
  }
  if (sent != static_cast<ssize_t>(bytes.size())) die("sending: " + std::string(std::strerror(errno)));
}

void DnsSender::send_together(int fd, const std::vector<Bytes>& messages) const {
  std::vector<iovec> parts(messages.size());
  std::vector<mmsghdr> headers(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) headers[i].msg_hdr = header_of(messages[i], parts[i]);
  const int sent = ::sendmmsg(fd, headers.data(), static_cast<unsigned>(headers.size()), MSG_NOSIGNAL);
  if (sent != static_cast<int>(messages.size())) die("sendmmsg: " + std::string(std::strerror(errno)));
}

void DnsSender::send(int fd, const std::vector<Bytes>& messages, std::size_t piece) const {
  if (!is_stream && method == "sendmmsg") {
    send_together(fd, messages);
    return;
  }
  if (!is_stream) {
    for (const Bytes& message : messages) send_one(fd, message);
    return;
  }
  Bytes stream;
  for (const Bytes& message : messages) {
    const Bytes whole = framed(message);
    stream.insert(stream.end(), whole.begin(), whole.end());
  }
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    if (at > 0) ::usleep(kBetweenPiecesUs);
    const auto end = static_cast<std::ptrdiff_t>(std::min(at + piece, stream.size()));
    send_one(fd, {stream.begin() + static_cast<std::ptrdiff_t>(at), stream.begin() + end});
  }
}

}  // namespace connscope::actor
