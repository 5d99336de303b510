// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listening_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace connscope::http {
namespace {

constexpr int kFirstBytesTimeoutSeconds = 30;

bool listens_on(int fd, const std::vector<std::uint16_t>& ports) {
  int accepting = 0;
  socklen_t length = sizeof accepting;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) != 0 || accepting == 0) return false;
  sockaddr_storage bound{};
  length = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return false;
  if (bound.ss_family != AF_INET && bound.ss_family != AF_INET6) return false;
  sockaddr_in address{};  // the port has the same place in both families
  std::memcpy(&address, &bound, sizeof address);
  return std::find(ports.begin(), ports.end(), ntohs(address.sin_port)) != ports.end();
}

}  // namespace

ListeningSockets::ListeningSockets(std::vector<int> descriptors) : descriptors_(std::move(descriptors)) {}

/// Without /proc none are found: then all works but for what the sockets would have been set to.
ListeningSockets ListeningSockets::find(const std::vector<std::uint16_t>& ports) {
  std::vector<int> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (listens_on(fd, ports)) found.push_back(fd);
  }
  return ListeningSockets(std::move(found));
}

void ListeningSockets::defer_accept() const {
  for (const int fd : descriptors_) {
    ::setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kFirstBytesTimeoutSeconds, sizeof kFirstBytesTimeoutSeconds);
  }
}

Status ListeningSockets::become(std::vector<UniqueFd> sockets) {
  if (sockets.size() + 1 != descriptors_.size())
    return Error("the listening sockets of the server were not found in /proc/self/fd");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return Error::from_errno("listening socket: socketpair", errno);
  waker_.reset(ends[0]);
  sockets.emplace_back(ends[1]);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    // CivetWeb may call accept() when poll() has told of the socket that was in that place; it must not wait there.
    const int flags = ::fcntl(sockets[i].get(), F_GETFL);
    if (flags < 0 || ::fcntl(sockets[i].get(), F_SETFL, flags | O_NONBLOCK) != 0)
      return Error::from_errno("listening socket: fcntl", errno);
    ::shutdown(descriptors_[i], SHUT_RD);  // wakes CivetWeb, which waits for the one that goes
    if (::dup3(sockets[i].get(), descriptors_[i], O_CLOEXEC) < 0)
      return Error::from_errno("listening socket: dup3", errno);
  }
  return {};
}

void ListeningSockets::shut_down() const {
  if (waker_) {
    ::shutdown(waker_.get(), SHUT_RDWR);
    return;
  }
  for (const int fd : descriptors_) ::shutdown(fd, SHUT_RD);
}

}  // namespace connscope::http
