// SPDX-License-Identifier: Apache-2.0
#include "tests/support/bad_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <chrono>
#include <utility>

#include "tests/support/dns_exchange.h"

namespace connscope::testing {
namespace {

constexpr int kTickMilliseconds = 20;

UniqueFd listen_on_loopback() {
  UniqueFd socket = bound(SOCK_STREAM);
  return ::listen(socket.get(), 16) == 0 ? std::move(socket) : UniqueFd();
}

bool is_readable(const UniqueFd& socket) {
  pollfd waited{socket.get(), POLLIN, 0};
  return ::poll(&waited, 1, kTickMilliseconds) > 0;
}

/// A close that sends a reset.
void reset(const UniqueFd& connection) {
  const linger at_once{1, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/// A request of HTTP with a Content-Length, to its last byte.
bool is_whole(std::string text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t length = text.find("content-length: ");
  return length > end || text.size() >= end + 4 + std::stoul(text.substr(length + 16));
}

void say(const UniqueFd& connection, const std::string& text) {
  static_cast<void>(::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

}  // namespace

BadReceiver::BadReceiver(Behaviour behaviour, std::string answer)
    : listener_(listen_on_loopback()), behaviour_(behaviour), answer_(std::move(answer)), thread_([this] { run(); }) {}

BadReceiver::~BadReceiver() {
  is_ending_ = true;
  thread_.join();
}

std::string BadReceiver::port() const {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return std::to_string(ntohs(address.sin_port));
}

void BadReceiver::behave(Behaviour behaviour, std::string answer) {
  const std::lock_guard lock(mutex_);
  behaviour_ = behaviour;
  answer_ = std::move(answer);
}

Behaviour BadReceiver::behaviour() const {
  const std::lock_guard lock(mutex_);
  return behaviour_;
}

std::vector<std::string> BadReceiver::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

void BadReceiver::run() {
  while (!is_ending_) {
    if (!is_readable(listener_)) continue;
    const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) continue;
    {
      const std::lock_guard lock(mutex_);
      received_.emplace_back();
    }
    serve(connection);
  }
}

void BadReceiver::hang() const {
  while (!is_ending_) std::this_thread::sleep_for(std::chrono::milliseconds(kTickMilliseconds));
}

void BadReceiver::serve(const UniqueFd& connection) {
  std::array<char, 65536> buffer;  // NOLINT(*-member-init)
  while (!is_ending_) {
    if (!is_readable(connection)) continue;
    const ssize_t length = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0) return behaviour() == Behaviour::kHang ? hang() : void();
    const std::lock_guard lock(mutex_);
    std::string& text = received_.back();
    text.append(buffer.data(), static_cast<std::size_t>(length));
    if (behaviour_ == Behaviour::kReset) return reset(connection);
    if (behaviour_ == Behaviour::kGarbage) return say(connection, std::string("\x00\xff garbage\r\n\r\n{", 16));
    if (behaviour_ == Behaviour::kEndless) {
      say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
      behaviour_ = Behaviour::kHang;
    }
    if (behaviour_ == Behaviour::kAnswer && is_whole(text)) return say(connection, answer_);
  }
}

}  // namespace connscope::testing
