// SPDX-License-Identifier: Apache-2.0
//
// The HTTP/1.1 server: exact paths, GET and HEAD, keep-alive, gzip when welcome, Content-Length always.
// Errors are its own matter: 400 for a request that is no HTTP or carries a body, 404, 405 with `Allow`, 500 when a
// handler throws, 503 with `Retry-After` beyond the limit. It tells nothing about itself in headers.
//
// One event loop (thread) for each listen address reads and writes; idle, half-open and slow clients cost it some
// memory each and never a thread. Beyond `max_connections` on one address, the connection that has been quiet longest
// is closed for the new one, so nobody can starve others by holding connections; a quiet one is closed after two
// minutes in any case.
// Routes that are `limited` run on a few worker threads; the others run in the event loop, so they must be quick and
// must not block. Threads of the server take no signals.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/http/message.h"

namespace connscope::http {

struct Route {
  std::string path;
  bool limited = false;
  Handler handler;
};

struct ServerOptions {
  std::vector<std::string> listen_addresses;  ///< see open_listener() in listener.h for the forms
  std::size_t max_requests = 40;              ///< limited requests at once, waiting ones included
  std::size_t max_connections = 512;          ///< for each listen address
};

class Server {
 public:
  /// Serves from now on, on every address or on none. Errors name the address.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, std::vector<Route> routes);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Closes every connection. Waits for handlers that run, but for no client.
  ~Server();

  /// One for each listen address, with the real ports: "http://127.0.0.1:9752".
  [[nodiscard]] std::vector<std::string> urls() const;

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace connscope::http
