// SPDX-License-Identifier: Apache-2.0
//
// Endpoint: one listening socket with its event loop (libmicrohttpd over epoll, one thread). The loop reads requests
// and writes responses; handlers of limited routes run on the dispatcher's threads while their connection is suspended.
// The dispatcher must outlive the endpoint, and must be stopped before it is destroyed: no connection may be suspended
// when the loop ends.
#pragma once

#include <cstddef>
#include <memory>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/http/dispatcher.h"

namespace connscope::http {

class Endpoint {
 public:
  static Result<std::unique_ptr<Endpoint>> start(UniqueFd listening_socket, Dispatcher& dispatcher,
                                                 std::size_t max_connections);
  virtual ~Endpoint() = default;

 protected:
  Endpoint() = default;
};

}  // namespace connscope::http
