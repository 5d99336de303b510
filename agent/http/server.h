// SPDX-License-Identifier: Apache-2.0
//
// The HTTP/1.1 server, on CivetWeb: exact paths, GET and HEAD, keep-alive, gzip when welcome, Content-Length always.
// Errors are its own matter: 400 and its kin for what is no HTTP, is too large or carries a body, 404, 405 with
// `Allow`, 500 when a handler throws, 503 with `Retry-After` beyond the limit. It tells nothing about itself in
// headers.
//
// CivetWeb has one thread for each connection that has sent something; a client that then says or reads nothing for a
// second is closed and the thread is free for the next. Clients that only connect take no thread.
// Handlers run on these threads. CivetWeb chooses their stacks (100 KiB in Debian's build), so keep large things in the
// heap. The threads take the signal mask of the one that starts the server: block there what they must not take.
// CivetWeb makes the process ignore SIGPIPE and SIGCHLD.
// One thread at a time may start or destroy servers: CivetWeb's count of its users is not guarded.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/http/message.h"

namespace connscope::http {

struct Route {
  std::string path;
  bool limited = false;  ///< counts towards max_requests
  Handler handler;
};

struct ServerOptions {
  std::vector<std::string> listen_addresses;  ///< see listen_address.h for the forms
  std::size_t max_requests = 40;              ///< handlers of limited routes that run at once; 0: no limit
  /// TCP sockets that listen already, as a service manager hands them over. When there are some, they alone are served
  /// and no address is bound. Who else has them can go on using them: they are closed at the end, not shut down.
  std::vector<UniqueFd> sockets = {};
};

class Server {
 public:
  /// Serves from now on, on every address or on none. Errors name the address.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, std::vector<Route> routes);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Closes every connection. Waits for handlers that run; for clients a second at most.
  ~Server();

  /// One for each listen address, with the real ports: "http://127.0.0.1:9752".
  [[nodiscard]] std::vector<std::string> urls() const;

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace connscope::http
