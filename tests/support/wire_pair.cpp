// SPDX-License-Identifier: Apache-2.0
#include "tests/support/wire_pair.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <utility>

namespace connscope::testing {
namespace {

constexpr int kLimitSeconds = 5;

Status failed(const char* what) { return Error::from_errno(what, errno); }

Status set(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof(value)) != 0) return failed("setsockopt");
  return {};
}

/// No call waits for ever, and each one makes a segment.
Status prepare(int fd) {
  const timeval limit{kLimitSeconds, 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) return failed("SO_RCVTIMEO");
  return set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

Status send_all(int from, const std::string& bytes) {
  if (::send(from, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    return failed("send");
  return {};
}

Status receive_all(int to, std::size_t size) {
  std::string bytes(size, '\0');
  if (::recv(to, bytes.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size)) return failed("recv");
  return {};
}

sockaddr_in6 loopback(bool is_ipv6) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (is_ipv6) return address;
  auto& old = reinterpret_cast<sockaddr_in&>(address);
  old = {};
  old.sin_family = AF_INET;
  old.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Result<WirePair> WirePair::open(Opening opening) {
  sockaddr_in6 address = loopback(opening == Opening::kIpv6);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  WirePair pair;
  pair.listener_ = UniqueFd(::socket(address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  pair.client_ = UniqueFd(::socket(address.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int listener = pair.listener_.get();
  if (opening == Opening::kDeferred)
    if (auto done = set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, kLimitSeconds); !done) return done.error();
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic, &size) != 0 || ::connect(pair.client_.get(), generic, size) != 0)
    return failed("open a pair").error();
  if (auto done = prepare(pair.client_.get()); !done) return done.error();
  if (opening == Opening::kDeferred) return pair;
  if (auto done = pair.accept(); !done) return done.error();
  return pair;
}

Status WirePair::accept() {
  server_ = UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return server_ ? prepare(server_.get()) : failed("accept");
}

Status WirePair::client_sends(const std::string& bytes) {
  if (auto done = send_all(client_.get(), bytes); !done) return done;
  if (!server_)
    if (auto done = accept(); !done) return done;
  return receive_all(server_.get(), bytes.size());
}

Status WirePair::server_sends(const std::string& bytes) {
  if (auto done = send_all(server_.get(), bytes); !done) return done;
  return receive_all(client_.get(), bytes.size());
}

Status WirePair::client_sends_each(const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    if (auto done = client_sends(part); !done) return done;
  return {};
}

Status WirePair::server_sends_each(const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    if (auto done = server_sends(part); !done) return done;
  return {};
}

Status WirePair::close(UniqueFd& side, const UniqueFd& other, bool with_reset) {
  const linger at_once{1, 0};
  if (with_reset && ::setsockopt(side.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0)
    return failed("SO_LINGER");
  side.reset();
  if (!other) return {};
  char byte = 0;
  const ssize_t got = ::recv(other.get(), &byte, 1, 0);
  const bool is_seen = with_reset ? got < 0 && errno == ECONNRESET : got == 0;
  return is_seen ? Status() : Error("the other side has not seen the end");
}

std::vector<std::string> cut(const std::string& bytes, std::size_t size) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < bytes.size(); at += size) parts.push_back(bytes.substr(at, size));
  return parts;
}

}  // namespace connscope::testing
