// SPDX-License-Identifier: Apache-2.0
#include "agent/control/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "agent/control/connection.h"
#include "agent/control/protocol.h"
#include "agent/control/socket.h"

namespace connscope::control {
namespace {

constexpr int kBacklog = 16;

Status listen_for(const UniqueFd& epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll.get(), operation, fd, &event) != 0) return Error::from_errno("epoll_ctl", errno);
  return {};
}

/// A stream that has nothing to say still waits for room, by its edge: what it sends later may not fit at once.
std::uint32_t interest_of(const Connection& connection) {
  if (connection.state() == Connection::State::kReading) return EPOLLIN;
  constexpr std::uint32_t kWhenRoomAppears = static_cast<std::uint32_t>(EPOLLOUT) | static_cast<std::uint32_t>(EPOLLET);
  return connection.has_pending() ? static_cast<std::uint32_t>(EPOLLOUT) : kWhenRoomAppears;
}

}  // namespace

struct Server::Client {
  std::shared_ptr<Connection> connection;
  std::uint64_t last_turn = 0;  // when it last read or wrote
  std::uint32_t interest = EPOLLIN;
};

Server::Server(std::string path, UniqueFd listener, UniqueFd epoll)
    : path_(std::move(path)), listener_(std::move(listener)), epoll_(std::move(epoll)) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
}

Result<std::unique_ptr<Server>> Server::create(const std::string& path) {
  auto listener = listen_at(path, kBacklog);
  if (!listener) return listener.error().context("control socket");
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Error::from_errno("epoll_create1", errno);
  if (auto added = listen_for(epoll, EPOLL_CTL_ADD, listener->get(), EPOLLIN); !added) return added.error();
  return std::unique_ptr<Server>(new Server(path, std::move(*listener), std::move(epoll)));
}

Server::~Server() {
  for (const auto& [fd, client] : clients_) {
    client.connection->fail("the agent stops");
    client.connection->write();
  }
  struct stat status {};
  const bool is_ours = ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

void Server::serve() {
  std::array<epoll_event, 16> events{};
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  ++turn_;
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == listener_.get()) {
      accept_all();
    } else {
      serve_client(event.data.fd, event.events);
    }
  }
}

/// As many as the backlog has; what comes meanwhile is for the next turn.
void Server::accept_all() {
  for (int i = 0; i < kBacklog; ++i) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    admit(std::move(socket));
  }
}

void Server::admit(UniqueFd socket) {
  const int fd = socket.get();
  const auto user = peer_user(fd);
  auto connection = std::make_shared<Connection>(std::move(socket), counts_.slow_readers);
  if (!user || (*user != 0 && *user != ::geteuid())) {
    connection->fail("this user may not control the agent; allowed: root and the agent's own user");
  } else if (!make_room()) {
    connection->fail("too many clients follow what happens; allowed: " + std::to_string(kMaxClients));
  }
  if (connection->state() != Connection::State::kReading) {
    ++counts_.refused;
    connection->write();
    return;
  }
  if (!listen_for(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN)) return;
  clients_[fd] = Client{std::move(connection), turn_};
}

/// Streams are quiet when nothing happens: they keep their places.
bool Server::make_room() {
  if (clients_.size() < kMaxClients) return true;
  auto victim = clients_.end();
  for (auto it = clients_.begin(); it != clients_.end(); ++it) {
    if (it->second.connection->is_streaming()) continue;
    if (victim == clients_.end() || it->second.last_turn < victim->second.last_turn) victim = it;
  }
  if (victim == clients_.end()) return false;
  ++counts_.displaced;
  victim->second.connection->fail("this place was needed for another client");
  victim->second.connection->write();
  remove(victim->first);
  return true;
}

void Server::serve_client(int fd, std::uint32_t events) {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;  // it gave its place away in this turn
  Client& client = found->second;
  client.last_turn = turn_;
  const bool reads = client.connection->state() == Connection::State::kReading;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !reads) client.connection->abandon();
  if (reads) read(client);
  settle(client);
}

void Server::read(Client& client) {
  if (const auto request = client.connection->read_request()) {
    ++(commands_.answer(*request, client.connection) ? counts_.requests : counts_.refused);
  } else if (client.connection->state() == Connection::State::kEnding) {
    ++counts_.refused;
  }
}

/// Writes what can be written, and says what to wait for next.
void Server::settle(Client& client) {
  Connection& connection = *client.connection;
  connection.write();
  if (connection.state() == Connection::State::kOver) return remove(connection.fd());
  const std::uint32_t interest = interest_of(connection);
  if (interest == client.interest) return;
  client.interest = interest;
  if (!listen_for(epoll_, EPOLL_CTL_MOD, connection.fd(), interest)) remove(connection.fd());
}

void Server::remove(int fd) {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  found->second.connection->abandon();  // a stream's holder may keep the object for a moment
  clients_.erase(found);
}

}  // namespace connscope::control
