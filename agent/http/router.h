// SPDX-License-Identifier: Apache-2.0
//
// Router: from a request to a response, without sockets. Finds the route, and holds the bound on limited requests.
// Any thread may call.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "agent/http/message.h"
#include "agent/http/server.h"

namespace connscope::http {

class Router {
 public:
  /// `max_requests` of 0 is no limit.
  Router(std::vector<Route> routes, std::size_t max_requests);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router() = default;

  /// The handler's response, or a 404, 405, 500 or 503 instead of it.
  [[nodiscard]] Response answer(const Request& request);

 private:
  [[nodiscard]] Response answer_limited(const Route& route, const Request& request);

  const std::vector<Route> routes_;
  const std::size_t max_requests_;
  std::atomic<std::size_t> limited_requests_{0};
};

}  // namespace connscope::http
