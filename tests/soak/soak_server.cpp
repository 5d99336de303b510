// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/soak_server.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "tests/bench/load_sockets.h"

namespace connscope::soak {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPatienceMs = 10'000;  // for the last clients to go

}  // namespace

Server::Server(Tally& tally) : tally_(tally), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Status Server::run() {
  auto listener = load::Port::listening(kBacklog, INADDR_LOOPBACK);
  if (!listener) return listener.error();
  const sigset_t signals = ending();
  const UniqueFd end(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!epoll_ || !end) return Error::from_errno("epoll and signalfd", errno);
  watch(listener->socket.get());
  watch(end.get());
  std::printf("{\"port\": %u}\n", static_cast<unsigned>(ntohs(listener->number)));
  (void)std::fflush(stdout);
  for (bool ends = false; !ends || !clients_.empty();) {
    epoll_event event{};
    const int count = ::epoll_wait(epoll_.get(), &event, 1, ends ? kPatienceMs : -1);
    if (count < 0) return Error::from_errno("epoll_wait", errno);
    if (count == 0) return Error(std::to_string(clients_.size()) + " clients do not go");
    const int ready = event.data.fd;
    ends = ends || ready == end.get();
    if (ready == end.get()) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, ready, nullptr);
    if (ready == end.get()) continue;
    if (Status done = ready == listener->socket.get() ? accept(ready) : serve(ready); !done) return done;
  }
  return {};
}

void Server::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

Status Server::accept(int listener) {
  auto client = load::accept_from(listener);
  if (!client) return client.error();
  ++tally_.accepts;
  const int fd = client->get();
  clients_.emplace(fd, std::move(*client));
  watch(fd);
  return {};
}

/// A message is one segment on loopback, and its client waits for the answer before it sends the next.
Status Server::serve(int client) {
  Message message;
  const ssize_t size = ::recv(client, message.data(), message.size(), 0);
  if (size <= 0) return see_end(client, size == 0 ? 0 : errno);
  if (size != static_cast<ssize_t>(message.size())) return Error("a torn message");
  tally_.received += message.size();
  if (message[0] != kEcho) return end(client, message[0] == kReset);
  if (::send(client, message.data(), message.size(), MSG_NOSIGNAL) != size) return Error::from_errno("send", errno);
  tally_.sent += message.size();
  return {};
}

Status Server::see_end(int client, int error) {
  if (error != 0 && error != ECONNRESET) return Error::from_errno("receive", error);
  ++(error == 0 ? tally_.remote_fin : tally_.remote_reset);
  clients_.erase(client);
  return {};
}

Status Server::end(int client, bool by_reset) {
  if (by_reset) reset_on_close(client);
  ++(by_reset ? tally_.local_reset : tally_.local_fin);
  clients_.erase(client);
  return {};
}

}  // namespace connscope::soak
