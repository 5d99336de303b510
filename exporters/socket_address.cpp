// SPDX-License-Identifier: Apache-2.0
#include "exporters/socket_address.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "agent/config/message.h"

namespace connscope::exporters {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return status == std::errc() && end == text.data() + text.size() && port != 0;
}

Result<UniqueFd> connected(int family, int type, const sockaddr* address, socklen_t length,
                           std::chrono::milliseconds patience) {
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!socket) return Error::from_errno("socket", errno);
  timeval limit{};
  limit.tv_sec = patience.count() / 1000;
  limit.tv_usec = patience.count() % 1000 * 1000;
  // It is the limit of connect() too.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)
    return Error::from_errno("setsockopt", errno);
  if (::connect(socket.get(), address, length) == 0) return socket;
  if (errno == EINPROGRESS) return Error("connect: no answer in time", ETIMEDOUT);
  return Error::from_errno("connect", errno);
}

Result<UniqueFd> connected_to_path(const std::string& path, int type, std::chrono::milliseconds patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // parse() has seen that there is room
  return connected(AF_UNIX, type, reinterpret_cast<const sockaddr*>(&address), sizeof(address), patience);
}

Result<UniqueFd> connected_to_host(const SocketAddress& address, int type, std::chrono::milliseconds patience) {
  addrinfo hints{};
  hints.ai_socktype = type;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); code != 0)
    return Error(::gai_strerror(code));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  Result<UniqueFd> socket = Error("no address");
  for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
    socket = connected(next->ai_family, type, next->ai_addr, next->ai_addrlen, patience);
    if (socket) break;
  }
  return socket;
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  SocketAddress address;
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

SocketAddress SocketAddress::parse(const config::Section& section, std::string_view key, std::string_view fallback) {
  const std::string text = section.text(key, fallback);
  auto address = parse(text);
  if (!address) {
    section.fail(key, config::in_quotes(text) +
                          " is not an address; allowed: HOST:PORT, [IPV6]:PORT, or unix:/PATH of a socket");
  }
  return address.value_or(SocketAddress());
}

std::string SocketAddress::text() const {
  if (!path.empty()) return std::string(kUnixScheme) + path;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

Result<UniqueFd> connect_to(const SocketAddress& address, int type, std::chrono::milliseconds patience) {
  return address.path.empty() ? connected_to_host(address, type, patience)
                              : connected_to_path(address.path, type, patience);
}

Status wait_for(int socket, short events, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  pollfd waited{socket, events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    const int ready = ::poll(&waited, 1, static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (ready > 0) return {};
    if (ready == 0) return Error("is too slow", ETIMEDOUT);
    if (errno != EINTR) return Error::from_errno("poll", errno);
  }
}

}  // namespace connscope::exporters
