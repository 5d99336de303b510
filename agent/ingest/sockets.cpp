// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/sockets.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace connscope::ingest {
namespace {

// Room for bursts: at 500,000 lines a second what comes in 50 ms.
constexpr int kReceiveBytes = 4 << 20;

const sockaddr* as_address(const void* address) { return static_cast<const sockaddr*>(address); }

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

void enlarge_queue(int fd) {
  // The first needs CAP_NET_ADMIN, the second has the system's limit; a smaller queue is no error.
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof(kReceiveBytes)) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof(kReceiveBytes));
}

/// An error when somebody receives there; else the way is free for bind.
Status clear_the_way(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return Error(path + ": is there, and is no socket");
  const UniqueFd probe(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = unix_address(path);
  if (::connect(probe.get(), as_address(&address), sizeof(address)) == 0)
    return Error(path + ": another process receives there", EADDRINUSE);
  if (errno != ECONNREFUSED && errno != EPROTOTYPE) return Error::from_errno(path, errno);
  if (errno == EPROTOTYPE) return Error(path + ": is a socket of another type");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error::from_errno(path, errno);
  return {};
}

Status make_folder_of(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  return error ? Status(Error(path + ": cannot make its folder: " + error.message(), error.value())) : Status();
}

}  // namespace

Result<UnixSocket> UnixSocket::bind(const std::string& path, mode_t mode) {
  if (auto made = make_folder_of(path); !made) return made.error();
  if (auto cleared = clear_the_way(path); !cleared) return cleared.error();
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error::from_errno("socket", errno);
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
    return Error::from_errno(path + ": SO_PASSCRED", errno);
  enlarge_queue(fd.get());
  const sockaddr_un address = unix_address(path);
  if (::bind(fd.get(), as_address(&address), sizeof(address)) != 0) return Error::from_errno(path, errno);
  UnixSocket bound(std::move(fd), path);
  struct stat status {};
  if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &status) != 0) return Error::from_errno(path, errno);
  bound.device_ = status.st_dev;
  bound.inode_ = status.st_ino;
  return bound;
}

UnixSocket::~UnixSocket() {
  struct stat status {};
  const bool is_ours =
      fd_ && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

std::optional<LoopbackAddress> parse_loopback(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (status != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  LoopbackAddress address;
  if (text.substr(0, colon) == "[::1]") {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_addr = in6addr_loopback;
    in6.sin6_port = htons(port);
    address.length = sizeof(in6);
    return address;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(address.storage);
  const std::string host(text.substr(0, colon));
  const bool is_loopback = ::inet_pton(AF_INET, host.c_str(), &in.sin_addr) == 1 && host.starts_with("127.");
  if (!is_loopback) return std::nullopt;
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  address.length = sizeof(in);
  return address;
}

Result<UniqueFd> bind_udp(const std::string& text) {
  const auto address = parse_loopback(text);
  if (!address) return Error(text + ": is not an address of loopback");
  UniqueFd fd(::socket(address->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error::from_errno("socket", errno);
  enlarge_queue(fd.get());
  if (::bind(fd.get(), as_address(&address->storage), address->length) != 0)
    return Error::from_errno("UDP " + text, errno);
  return fd;
}

std::uint64_t dropped_by_kernel(int fd) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t length = sizeof(figures);
  const bool known = ::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures.data(), &length) == 0;
  return known ? figures[SK_MEMINFO_DROPS] : 0;
}

}  // namespace connscope::ingest
