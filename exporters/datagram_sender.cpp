// SPDX-License-Identifier: Apache-2.0
#include "exporters/datagram_sender.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "exporters/report_exporter.h"

namespace connscope::exporters {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return status == std::errc() && end == text.data() + text.size() && port != 0;
}

/// A connected socket, that gives up when the receiver takes nothing for kMaxBlocking.
Result<UniqueFd> connected(int family, const sockaddr* address, socklen_t length) {
  UniqueFd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno("socket", errno);
  timeval patience{};
  patience.tv_sec = ReportExporter::kMaxBlocking.count();
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0)
    return Error::from_errno("setsockopt", errno);
  if (::connect(socket.get(), address, length) != 0) return Error::from_errno("connect", errno);
  return socket;
}

Result<UniqueFd> connected_to_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // parse() has seen that there is room
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

Result<UniqueFd> connected_to_host(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0)
    return Error(::gai_strerror(code));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  Result<UniqueFd> socket = Error("no address");
  for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
    socket = connected(next->ai_family, next->ai_addr, next->ai_addrlen);
    if (socket) break;
  }
  return socket;
}

}  // namespace

std::optional<DatagramAddress> DatagramAddress::parse(std::string_view text) {
  DatagramAddress address;
  if (text.substr(0, kUnixScheme.size()) == kUnixScheme) {
    address.path = text.substr(kUnixScheme.size());
    const bool fits = address.path.size() < sizeof(sockaddr_un::sun_path);
    return !address.path.empty() && address.path.front() == '/' && fits ? std::optional(address) : std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.empty() || host.find_first_of(":[]/ ") != std::string_view::npos) {
    return std::nullopt;
  }
  address.host = host;
  address.port = text.substr(colon + 1);
  return address;
}

std::string DatagramAddress::text() const {
  if (!path.empty()) return std::string(kUnixScheme) + path;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

Status DatagramSender::open() {
  if (socket_) return {};
  auto socket =
      address_.path.empty() ? connected_to_host(address_.host, address_.port) : connected_to_path(address_.path);
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
