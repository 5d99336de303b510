// SPDX-License-Identifier: Apache-2.0
#include "agent/http/server.h"

#include <pthread.h>

#include <csignal>
#include <utility>

#include "agent/http/dispatcher.h"
#include "agent/http/endpoint.h"
#include "agent/http/listener.h"

namespace connscope::http {
namespace {

constexpr std::size_t kWorkers = 4;  // encoding is work for the CPU: more threads than this only cost memory

/// While it lives, new threads start with every signal blocked: signals are for the thread that waits for them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

class Server::Parts {
 public:
  Parts(std::vector<Route> routes, std::size_t max_requests) : dispatcher_(std::move(routes), max_requests, kWorkers) {}
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() { dispatcher_.stop(); }  // an event loop must not end while a connection waits for a worker

  Status serve(Listener listener, std::size_t max_connections) {
    auto endpoint = Endpoint::start(std::move(listener.socket), dispatcher_, max_connections);
    if (!endpoint) return endpoint.error().context(listener.url);
    endpoints_.push_back(std::move(*endpoint));
    urls_.push_back(std::move(listener.url));
    return {};
  }

  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }

 private:
  Dispatcher dispatcher_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::string> urls_;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, std::vector<Route> routes) {
  if (options.listen_addresses.empty()) return Error("no listen address");
  std::vector<Listener> listeners;
  for (const std::string& address : options.listen_addresses) {
    auto listener = open_listener(address);
    if (!listener) return listener.error();
    listeners.push_back(std::move(*listener));
  }
  const SignalsBlocked blocked;
  auto parts = std::make_unique<Parts>(std::move(routes), options.max_requests);
  for (Listener& listener : listeners) {
    if (auto served = parts->serve(std::move(listener), options.max_connections); !served) return served.error();
  }
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::vector<std::string> Server::urls() const { return parts_->urls(); }

}  // namespace connscope::http
