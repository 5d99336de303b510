// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/new_programs.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace connscope::runtime {
namespace {

using namespace std::chrono_literals;

/// Looks are that far apart, and look at so many processes, at some 100 µs each.
constexpr auto kPause = 50ms;
constexpr std::size_t kProcessesPerLook = 8;

}  // namespace

Result<std::unique_ptr<NewPrograms>> NewPrograms::start(probe::IdentityProbe& source, probe::LibraryWatch& libraries,
                                                        EventLoop& loop) {
  std::unique_ptr<NewPrograms> started(new NewPrograms(source, libraries));
  if (auto watched = started->watch(loop); !watched) return watched.error();
  started->wait();
  return started;
}

Status NewPrograms::watch(EventLoop& loop) {
  timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_) return Error::from_errno("timerfd_create", errno);
  const auto on_exec = [this] {
    take();
    wait();
  };
  if (auto watched = loop.watch(source_.execs_fd(), on_exec); !watched) return watched;
  return loop.watch(timer_.get(), [this] {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof(expirations)) > 0) look();
  });
}

void NewPrograms::take() {
  for (const std::uint32_t process : source_.take_execs()) schedule_.add(process, Clock::now());
}

void NewPrograms::look() {
  take();
  for (std::size_t looks = 0; looks < kProcessesPerLook;) {
    const auto due = schedule_.take_due(Clock::now());
    if (!due) break;
    if (!libraries_.look_at(due->process)) continue;  // most of a storm are gone by now
    schedule_.go_on(*due);
    ++looks;
  }
  wait();
}

void NewPrograms::wait() {
  auto next = schedule_.next();
  if (!next) {
    source_.await_exec();
    take();  // those that came just before are not told any more
    next = schedule_.next();
  }
  if (!next) return;
  const auto pause = std::max<Clock::duration>(*next - Clock::now(), kPause);
  itimerspec spec{};
  spec.it_value.tv_nsec = std::chrono::nanoseconds(pause % 1s).count();
  spec.it_value.tv_sec = pause / 1s;
  ::timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

}  // namespace connscope::runtime
