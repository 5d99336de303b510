// SPDX-License-Identifier: Apache-2.0
#include "tests/support/statsd_receiver.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

namespace connscope::testing {
namespace {

template <class Map>
typename Map::mapped_type value_or_zero(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

}  // namespace

Result<std::unique_ptr<StatsdReceiver>> StatsdReceiver::bind(const std::string& path) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Error(path + ": too long for a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Error::from_errno(path, errno);
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop) return Error::from_errno("eventfd", errno);
  return std::unique_ptr<StatsdReceiver>(new StatsdReceiver(std::move(socket), std::move(stop)));
}

StatsdReceiver::StatsdReceiver(UniqueFd socket, UniqueFd stop)
    : socket_(std::move(socket)), stop_(std::move(stop)), thread_([this] { run(); }) {}

StatsdReceiver::~StatsdReceiver() {
  const std::uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof(one)) < 0) std::abort();  // an eventfd takes what fits into it
  thread_.join();
}

void StatsdReceiver::run() {
  std::string buffer(65536, '\0');
  std::array<pollfd, 2> watched{{{socket_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  for (;;) {
    const ssize_t length = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (length >= 0) {
      take(std::string_view(buffer).substr(0, static_cast<std::size_t>(length)));
    } else if (watched[1].revents != 0) {
      return;
    } else {
      ::poll(watched.data(), watched.size(), -1);
    }
  }
}

void StatsdReceiver::take(std::string_view packet) {
  const std::lock_guard lock(mutex_);
  ++packets_;
  std::set<std::string> names;
  for (;;) {
    const std::size_t end = packet.find('\n');
    const std::string_view line = packet.substr(0, end);
    names.emplace(line.substr(0, line.find(':')));
    take_line(line);
    if (end == std::string_view::npos) break;
    packet.remove_prefix(end + 1);
  }
  for (const std::string& name : names) ++packets_with_[name];
}

void StatsdReceiver::take_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::size_t bar = line.find('|');
  if (colon == std::string_view::npos || bar == std::string_view::npos) return;
  const std::string name(line.substr(0, colon));
  const double value = std::strtod(std::string(line.substr(colon + 1, bar - colon - 1)).c_str(), nullptr);
  if (line.substr(bar, 2) == "|c") {
    counters_[name] += value;
  } else {
    gauges_[name] = value;
  }
}

double StatsdReceiver::counter(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return value_or_zero(counters_, name);
}

double StatsdReceiver::gauge(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return value_or_zero(gauges_, name);
}

std::size_t StatsdReceiver::packets_with(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return value_or_zero(packets_with_, name);
}

std::size_t StatsdReceiver::packets() const {
  const std::lock_guard lock(mutex_);
  return packets_;
}

}  // namespace connscope::testing
