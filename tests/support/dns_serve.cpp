// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_serve.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/actor_arguments.h"
#include "tests/support/dns_script.h"

namespace connscope::actor {
namespace {

constexpr std::size_t kLargest = 65536;
// Between two looks at the timers.
constexpr int kAtOnce = 256;
// What a flood may have outstanding, however slow the server is for a moment.
constexpr int kReceiveBuffer = 16 << 20;
constexpr useconds_t kBetweenPiecesUs = 500;

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

UniqueFd open_bound(const Address& address, int type) {
  UniqueFd fd(::socket(address.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail("socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.get(), address.get(), address.length) != 0) fail("bind");
  return fd;
}

UniqueFd open_datagrams(const Address& address) {
  UniqueFd fd = open_bound(address, SOCK_DGRAM);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer);
  return fd;
}

UniqueFd open_listener(const Address& address) {
  UniqueFd fd = open_bound(address, SOCK_STREAM);
  set_option(fd.get(), IPPROTO_TCP, TCP_FASTOPEN, 16);
  if (::listen(fd.get(), 64) != 0) fail("listen");
  return fd;
}

/// A TCP connection, with what has come of a message that is not whole yet.
struct Connection {
  UniqueFd fd;
  Bytes stream;
};

class Server {
 public:
  explicit Server(const std::vector<Address>& addresses) : buffer_(kLargest) {
    for (const Address& address : addresses) {
      datagrams_.push_back(open_datagrams(address));
      listeners_.push_back(open_listener(address));
    }
  }

  [[noreturn]] void run() {
    for (;;) {
      wait();
      send_due();
      for (const UniqueFd& socket : datagrams_) serve_datagrams(socket.get());
      for (const UniqueFd& listener : listeners_) accept_all(listener.get());
      for (const auto& connection : connections_) serve_connection(*connection);
      connections_.erase(std::remove_if(connections_.begin(), connections_.end(),
                                        [](const auto& connection) { return !connection->fd; }),
                         connections_.end());
    }
  }

 private:
  void wait() {
    std::vector<pollfd> waiting;
    const auto add = [&waiting](const UniqueFd& fd) { waiting.push_back({fd.get(), POLLIN, 0}); };
    for (const UniqueFd& socket : datagrams_) add(socket);
    for (const UniqueFd& listener : listeners_) add(listener);
    for (const auto& connection : connections_) add(connection->fd);
    const std::int64_t left_us = due_.empty() ? -1 : std::max<std::int64_t>(due_.begin()->first - now_us(), 0);
    const timespec limit{left_us / 1'000'000, left_us % 1'000'000 * 1000};
    if (::ppoll(waiting.data(), waiting.size(), due_.empty() ? nullptr : &limit, nullptr) < 0) fail("poll");
  }

  void send_due() {
    while (!due_.empty() && due_.begin()->first <= now_us()) {
      const std::function<void()> send = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      send();
    }
  }

  void later(long after_ms, std::function<void()> send) { due_.emplace(now_us() + after_ms * 1000, std::move(send)); }

  void serve_datagrams(int fd) {
    for (int i = 0; i < kAtOnce; ++i) {
      Address peer;
      peer.length = sizeof(peer.storage);
      const ssize_t size =
          ::recvfrom(fd, buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length);
      if (size < 0) return;
      const auto question = read_query({buffer_.begin(), buffer_.begin() + size});
      if (question) answer_datagram(fd, peer, *question);
    }
  }

  void answer_datagram(int fd, const Address& peer, const Question& question) {
    for (Reply& reply : react(question, false, times_before(peer, question)).replies) {
      const auto send = [fd, peer, message = std::move(reply.message)] {
        // A client that is gone is none of the server's concern.
        ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, peer.get(), peer.length);
      };
      if (reply.after_ms == 0) {
        send();
      } else {
        later(reply.after_ms, send);
      }
    }
  }

  unsigned times_before(const Address& peer, const Question& question) {
    // Only these are remembered, so that a flood costs nothing.
    if (question.name.rfind("drop-first", 0) != 0) return 0;
    const std::string from(reinterpret_cast<const char*>(&peer.storage), peer.length);
    return asked_[from + std::to_string(question.id) + "/" + std::to_string(question.type) + question.name]++;
  }

  void accept_all(int listener) {
    for (;;) {
      UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) return;
      set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
      connections_.push_back(std::make_shared<Connection>(Connection{std::move(fd), {}}));
    }
  }

  void serve_connection(Connection& connection) {
    const ssize_t size = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      connection.fd.reset();
      return;
    }
    connection.stream.insert(connection.stream.end(), buffer_.begin(), buffer_.begin() + size);
    Bytes at_once;
    for (const Bytes& message : take_framed(connection.stream)) {
      const auto question = read_query(message);
      if (question) answer_on(connection, *question, at_once);
    }
    // All that can be answered now goes in one segment.
    send_on(connection, at_once);
  }

  void answer_on(Connection& connection, const Question& question, Bytes& at_once) {
    Reaction reaction = react(question, true, 0);
    if (reaction.conduct == Conduct::kReset) reset_on_close(connection.fd.get());
    if (reaction.conduct == Conduct::kReset || reaction.conduct == Conduct::kEnd) connection.fd.reset();
    for (const Reply& reply : reaction.replies) {
      const Bytes bytes = framed(reply.message);
      if (reaction.conduct == Conduct::kAnswerInPieces) {
        send_in_pieces(connection, bytes);
      } else if (reply.after_ms == 0) {
        at_once.insert(at_once.end(), bytes.begin(), bytes.end());
      } else {
        later(reply.after_ms, [held = find(connection), bytes] { send_on(*held, bytes); });
      }
    }
  }

  std::shared_ptr<Connection> find(const Connection& connection) {
    return *std::find_if(connections_.begin(), connections_.end(),
                         [&connection](const auto& held) { return held.get() == &connection; });
  }

  static void send_on(const Connection& connection, const Bytes& bytes) {
    if (!connection.fd || bytes.empty()) return;
    ::send(connection.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  static void send_in_pieces(const Connection& connection, const Bytes& bytes) {
    for (const std::uint8_t byte : bytes) {
      send_on(connection, {byte});
      ::usleep(kBetweenPiecesUs);
    }
  }

  std::vector<UniqueFd> datagrams_;
  std::vector<UniqueFd> listeners_;
  std::vector<std::shared_ptr<Connection>> connections_;
  /// By the time at which it is to be done.
  std::multimap<std::int64_t, std::function<void()>> due_;
  std::map<std::string, unsigned> asked_;
  Bytes buffer_;
};

}  // namespace

void run_dns_server(const std::vector<Address>& addresses) {
  Server server(addresses);
  print_result("listening", ntohs(reinterpret_cast<const sockaddr_in*>(addresses.front().get())->sin_port));
  server.run();
}

}  // namespace connscope::actor
