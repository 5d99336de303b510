// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/event_loop.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace connscope::runtime {

Result<EventLoop> EventLoop::create() {
  EventLoop loop;
  loop.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop.epoll_) return Error::from_errno("epoll_create1", errno);
  return loop;
}

Status EventLoop::watch(int fd, std::function<void()> on_readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Error::from_errno("epoll_ctl", errno);
  callbacks_[fd] = std::move(on_readable);
  return {};
}

Status EventLoop::watch_signals(std::initializer_list<int> signals, std::function<void(int)> on_signal) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return Error("pthread_sigmask: cannot block signals");
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return Error::from_errno("signalfd", errno);
  return watch(signals_.get(), [fd = signals_.get(), on_signal = std::move(on_signal)] {
    signalfd_siginfo info{};
    while (::read(fd, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
      on_signal(static_cast<int>(info.ssi_signo));
  });
}

Status EventLoop::every(std::chrono::milliseconds interval, std::function<void()> on_tick) {
  const bool first = !timer_;
  if (first) timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return Error::from_errno("timerfd_create", errno);
  itimerspec spec{};
  spec.it_interval.tv_sec = interval.count() / 1000;
  spec.it_interval.tv_nsec = interval.count() % 1000 * 1'000'000;
  spec.it_value = spec.it_interval;
  if (::timerfd_settime(timer_.get(), 0, &spec, nullptr) != 0) return Error::from_errno("timerfd_settime", errno);
  auto on_readable = [fd = timer_.get(), on_tick = std::move(on_tick)] {
    std::uint64_t expirations = 0;
    if (::read(fd, &expirations, sizeof(expirations)) > 0) on_tick();
  };
  if (first) return watch(timer_.get(), std::move(on_readable));
  callbacks_[timer_.get()] = std::move(on_readable);
  return {};
}

std::chrono::nanoseconds EventLoop::busy() const { return busy_ + (std::chrono::steady_clock::now() - woke_); }

Status EventLoop::run() {
  std::array<epoll_event, 16> events{};
  while (!stopped_) {
    busy_ = busy();
    const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    woke_ = std::chrono::steady_clock::now();
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Error::from_errno("epoll_wait", errno);
    for (int i = 0; i < ready && !stopped_; ++i) {
      // A copy: the callback may replace itself.
      const auto callback = callbacks_[events[static_cast<std::size_t>(i)].data.fd];
      callback();
    }
  }
  return {};
}

}  // namespace connscope::runtime
