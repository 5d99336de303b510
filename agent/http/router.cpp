// SPDX-License-Identifier: Apache-2.0
#include "agent/http/router.h"

#include <algorithm>
#include <utility>

#include "agent/http/finish.h"

namespace connscope::http {
namespace {

Response overloaded() {
  Response response = plain_response(503, "too many requests at once");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response method_not_allowed() {
  Response response = plain_response(405, "only GET and HEAD");
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

/// The text of an exception stays inside: a client has no business with it.
Response call(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (...) {
    return plain_response(500);
  }
}

}  // namespace

Router::Router(std::vector<Route> routes, std::size_t max_requests)
    : routes_(std::move(routes)), max_requests_(max_requests) {}

Response Router::answer(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return method_not_allowed();
  const auto route =
      std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) { return r.path == request.path; });
  if (route == routes_.end()) return plain_response(404);
  return route->limited ? answer_limited(*route, request) : call(route->handler, request);
}

Response Router::answer_limited(const Route& route, const Request& request) {
  const std::size_t before = limited_requests_.fetch_add(1);
  const bool refused = max_requests_ != 0 && before >= max_requests_;
  Response response = refused ? overloaded() : call(route.handler, request);
  limited_requests_.fetch_sub(1);
  return response;
}

}  // namespace connscope::http
