// SPDX-License-Identifier: Apache-2.0
#include "agent/http/dispatcher.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "agent/http/finish.h"

namespace connscope::http {
namespace {

Response overloaded() {
  Response response = plain_response(503, "too many requests at once, or the server is stopping");
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

Dispatcher::Dispatcher(std::vector<Route> routes, std::size_t max_requests, std::size_t workers)
    : routes_(std::move(routes)), max_requests_(max_requests) {
  workers_.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

const Route* Dispatcher::find_route(const Request& request) const {
  const auto route =
      std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) { return r.path == request.path; });
  return route == routes_.end() ? nullptr : &*route;
}

std::optional<Response> Dispatcher::answer_now(const Request& request) {
  const auto finished = [&](Response response) { return finish(std::move(response), request.accept_encoding); };
  const Route* route = find_route(request);
  if (request.method != "GET" && request.method != "HEAD") return finished(method_not_allowed());
  if (route == nullptr) return finished(plain_response(404));
  if (!route->limited) return finished(call(route->handler, request));
  if (limited_requests_.fetch_add(1) >= max_requests_) {
    limited_requests_.fetch_sub(1);
    return finished(overloaded());
  }
  return std::nullopt;
}

void Dispatcher::answer_later(const Request& request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      jobs_.push_back({&request, std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  limited_requests_.fetch_sub(1);
  done(finish(overloaded(), request.accept_encoding));
}

Response Dispatcher::run(const Request& request) const {
  return finish(call(find_route(request)->handler, request), request.accept_encoding);
}

void Dispatcher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    const bool too_late = stopping_;  // a queue of slow requests must not hold up the end
    lock.unlock();
    Response response = too_late ? finish(overloaded(), job.request->accept_encoding) : run(*job.request);
    limited_requests_.fetch_sub(1);
    job.done(std::move(response));
    lock.lock();
  }
}

void Dispatcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

}  // namespace connscope::http
