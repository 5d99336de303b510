// SPDX-License-Identifier: Apache-2.0
//
// Dispatcher: from a request to a response, without sockets. Finds the route, holds the bound on limited requests, and
// runs what may take long on its own few threads, so that the event loops never wait.
// Any thread may call; the destructor waits for the handlers that run.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/http/message.h"
#include "agent/http/server.h"

namespace connscope::http {

class Dispatcher {
 public:
  /// Called once with the finished response, on a worker or (after stop()) in the caller.
  using Done = std::function<void(Response)>;

  Dispatcher(std::vector<Route> routes, std::size_t max_requests, std::size_t workers);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher() { stop(); }

  /// What can be answered at once, finished: an error, or an unlimited route. Nothing when the route is limited: then
  /// one of the `max_requests` places is taken, and answer_later() must follow, which gives it back.
  [[nodiscard]] std::optional<Response> answer_now(const Request& request);

  /// Queues a request for which answer_now() gave nothing. `request` must live until `done` is called.
  void answer_later(const Request& request, Done done);

  /// From now on limited requests are refused. Returns when every `done` has been called.
  void stop();

 private:
  struct Job {
    const Request* request;
    Done done;
  };

  [[nodiscard]] const Route* find_route(const Request& request) const;
  [[nodiscard]] Response run(const Request& request) const;
  void work();

  const std::vector<Route> routes_;
  const std::size_t max_requests_;
  std::atomic<std::size_t> limited_requests_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::vector<std::thread> workers_;
};

}  // namespace connscope::http
