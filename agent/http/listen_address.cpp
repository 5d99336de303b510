// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "agent/base/unique_fd.h"

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

Result<SocketAddress> resolve(const HostPort& wanted, bool ipv6) {
  addrinfo hints{};
  hints.ai_family = ipv6 ? AF_UNSPEC : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
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

/// With SO_REUSEADDR, as CivetWeb binds: connections that an earlier server left behind are no hindrance.
Status try_bind(const SocketAddress& address) {
  const UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return Error::from_errno("cannot create the socket", errno);
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return Error::from_errno("cannot set SO_REUSEADDR", errno);
  }
  if (::bind(fd.get(), address.get(), address.length) != 0) return Error::from_errno("cannot bind", errno);
  return {};
}

Result<ListenAddress> check_all(std::uint16_t port, bool ipv6) {
  const std::string digits = std::to_string(port);
  if (ipv6) {
    const Status both = try_bind(any_address(AF_INET6, port));
    if (both) return ListenAddress{"+" + digits, "localhost"};
    const bool kernel_has_none = both.error().code() == EAFNOSUPPORT || both.error().code() == EADDRNOTAVAIL;
    if (!kernel_has_none) return both.error();
  }
  if (const Status bound = try_bind(any_address(AF_INET, port)); !bound) return bound.error();
  return ListenAddress{"0.0.0.0:" + digits, "localhost"};
}

std::string in_brackets_if_ipv6(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<ListenAddress> check_one(const HostPort& wanted, bool ipv6) {
  if (!ipv6 && wanted.host.find(':') != std::string::npos) {
    return Error("this is IPv6, and the CivetWeb library of this system was built without it; use an IPv4 address");
  }
  const auto address = resolve(wanted, ipv6);
  if (!address) return address.error();
  if (const Status bound = try_bind(*address); !bound) return bound.error();
  std::array<char, NI_MAXHOST> numeric{};
  const int failed =
      ::getnameinfo(address->get(), address->length, numeric.data(), numeric.size(), nullptr, 0, NI_NUMERICHOST);
  if (failed != 0) return Error("cannot write the address as numbers: " + std::string(::gai_strerror(failed)));
  return ListenAddress{in_brackets_if_ipv6(numeric.data()) + ":" + std::to_string(wanted.port),
                       in_brackets_if_ipv6(wanted.host)};
}

}  // namespace

Result<ListenAddress> check_listen_address(const std::string& address, bool ipv6) {
  const std::string where = "listen address \"" + address + "\"";
  const auto wanted = split(address);
  if (!wanted) return wanted.error().context(where);
  auto checked = wanted->host.empty() ? check_all(wanted->port, ipv6) : check_one(*wanted, ipv6);
  if (!checked) return checked.error().context(where);
  return checked;
}

Result<std::string> address_of(int socket) {
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0)
    return Error::from_errno("listening socket: getsockname", errno);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  const int failed = ::getnameinfo(bound.get(), bound.length, host.data(), host.size(), port.data(), port.size(),
                                   NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return Error("listening socket: cannot write its address: " + std::string(::gai_strerror(failed)));
  return in_brackets_if_ipv6(host.data()) + ":" + port.data();
}

}  // namespace connscope::http
