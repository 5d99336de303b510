// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace connscope::http {
namespace {

struct HostPort {
  std::string host;  ///< empty: all addresses
  std::uint16_t port = 0;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

Result<HostPort> split(std::string_view address) {
  const Error bad("not HOST:PORT: write 127.0.0.1:9752, [::1]:9752, localhost:9752 or :9752 (port 0 to 65535)");
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return bad;
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  HostPort result;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (digits.empty() || failed != std::errc{} || end != digits.data() + digits.size()) return bad;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[] \t/") != std::string_view::npos) {
    return bad;  // an IPv6 address without brackets could be read in two ways
  }
  result.host = host;
  return result;
}

Result<SocketAddress> resolve(const HostPort& wanted) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(wanted.port);
  const int failed = ::getaddrinfo(wanted.host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0) return Error("cannot resolve the host: " + std::string(::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  const addrinfo* chosen = found;
  while (chosen != nullptr && chosen->ai_family != AF_INET) chosen = chosen->ai_next;
  if (chosen == nullptr) chosen = found;
  if (chosen == nullptr) return Error("the host has no address");
  SocketAddress address;
  std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
  address.length = chosen->ai_addrlen;
  return address;
}

SocketAddress any_address(int family, std::uint16_t port) {
  SocketAddress address;
  if (family == AF_INET6) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    std::memcpy(&address.storage, &any, sizeof any);
    address.length = sizeof any;
  } else {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    std::memcpy(&address.storage, &any, sizeof any);
    address.length = sizeof any;
  }
  return address;
}

Result<UniqueFd> listen_on(const SocketAddress& address, bool both_families) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno("cannot create the socket", errno);
  const int on = 1;
  const int v6_only = both_families ? 0 : 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return Error::from_errno("cannot set SO_REUSEADDR", errno);
  }
  if (address.family() == AF_INET6 &&
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) != 0) {
    return Error::from_errno("cannot set IPV6_V6ONLY", errno);
  }
  if (::bind(fd.get(), address.get(), address.length) != 0) return Error::from_errno("cannot bind", errno);
  if (::listen(fd.get(), SOMAXCONN) != 0) return Error::from_errno("cannot listen", errno);
  return fd;
}

Result<UniqueFd> listen_on_all(std::uint16_t port) {
  auto fd = listen_on(any_address(AF_INET6, port), true);
  const bool no_ipv6 = !fd && (fd.error().code() == EAFNOSUPPORT || fd.error().code() == EADDRNOTAVAIL);
  if (no_ipv6) return listen_on(any_address(AF_INET, port), false);
  return fd;
}

Result<UniqueFd> listen_on(const HostPort& wanted) {
  if (wanted.host.empty()) return listen_on_all(wanted.port);
  const auto address = resolve(wanted);
  if (!address) return address.error();
  return listen_on(*address, false);
}

Result<std::string> url_of(int fd, const std::string& host) {
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    return Error::from_errno("cannot ask for the port", errno);
  }
  sockaddr_in address{};  // the port has the same place in both families
  std::memcpy(&address, &bound.storage, sizeof address);
  std::string shown = host.empty() ? "localhost" : host;
  if (shown.find(':') != std::string::npos) shown = "[" + shown + "]";
  return "http://" + shown + ":" + std::to_string(ntohs(address.sin_port));
}

}  // namespace

Result<Listener> open_listener(const std::string& address) {
  const std::string where = "listen address \"" + address + "\"";
  const auto wanted = split(address);
  if (!wanted) return wanted.error().context(where);
  auto fd = listen_on(*wanted);
  if (!fd) return fd.error().context(where);
  auto url = url_of(fd->get(), wanted->host);
  if (!url) return url.error().context(where);
  return Listener{std::move(*fd), std::move(*url)};
}

}  // namespace connscope::http
