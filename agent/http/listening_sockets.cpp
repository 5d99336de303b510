// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listening_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
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

void ListeningSockets::shut_down() const {
  for (const int fd : descriptors_) ::shutdown(fd, SHUT_RD);
}

}  // namespace connscope::http
