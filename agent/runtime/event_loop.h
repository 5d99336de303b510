// SPDX-License-Identifier: Apache-2.0
//
// EventLoop: waits for descriptors, a timer and signals, and calls back; everything the collecting thread does is one
// of these callbacks. One thread.
#pragma once

#include <sys/signalfd.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::runtime {

class EventLoop {
 public:
  static Result<EventLoop> create();

  /// `on_readable` must read until nothing is left to read. The descriptor is borrowed.
  Status watch(int fd, std::function<void()> on_readable);
  /// Blocks the signals for this thread, and those it starts later, and has them delivered here.
  Status watch_signals(std::initializer_list<int> signals, std::function<void(int)> on_signal);
  /// The one timer, first after `interval`. Calling again changes the interval.
  Status every(std::chrono::milliseconds interval, std::function<void()> on_tick);

  /// Until stop() is called by a callback.
  Status run();
  void stop() { stopped_ = true; }
  /// How long callbacks have run so far, the one that asks among them.
  [[nodiscard]] std::chrono::nanoseconds busy() const;

 private:
  EventLoop() = default;

  UniqueFd epoll_;
  UniqueFd signals_;
  UniqueFd timer_;
  std::map<int, std::function<void()>> callbacks_;
  bool stopped_ = false;
  std::chrono::nanoseconds busy_{};
  std::chrono::steady_clock::time_point woke_ = std::chrono::steady_clock::now();
};

}  // namespace connscope::runtime
