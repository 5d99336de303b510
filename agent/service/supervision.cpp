// SPDX-License-Identifier: Apache-2.0
#include "agent/service/supervision.h"

#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>

namespace connscope::service {
namespace {

constexpr std::uint64_t kMicroseconds = 1'000'000;

/// The manager takes a notice of a reload only with the time of its own clock, so that none is mistaken for an older
/// one.
std::string monotonic_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::uint64_t seconds = static_cast<std::uint64_t>(now.tv_sec);
  return std::to_string(seconds * kMicroseconds + static_cast<std::uint64_t>(now.tv_nsec) / 1000);
}

/// A line break would begin another message.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) c = c == '\n' ? ' ' : c;
  return line;
}

void tell(const std::string& message) { (void)::sd_notify(0, message.c_str()); }

}  // namespace

Result<Supervision> Supervision::create() {
  Supervision supervision;
  std::uint64_t period_us = 0;
  if (::sd_watchdog_enabled(0, &period_us) <= 0) return supervision;
  supervision.timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!supervision.timer_) return Error::from_errno("watchdog: timerfd_create", errno);
  const std::uint64_t half_us = period_us / 2 + 1;  // never 0, which would disarm the timer
  itimerspec spec{};
  spec.it_interval.tv_sec = static_cast<std::time_t>(half_us / kMicroseconds);
  spec.it_interval.tv_nsec = static_cast<long>(half_us % kMicroseconds * 1000);
  spec.it_value = spec.it_interval;
  if (::timerfd_settime(supervision.timer_.get(), 0, &spec, nullptr) != 0)
    return Error::from_errno("watchdog: timerfd_settime", errno);
  return supervision;
}

void Supervision::tick() {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof(expirations)) > 0) tell("WATCHDOG=1");
}

void Supervision::tell_ready(std::string_view status) { tell("READY=1\nSTATUS=" + one_line(status)); }

void Supervision::tell_reloading() { tell("RELOADING=1\nMONOTONIC_USEC=" + monotonic_usec()); }

void Supervision::tell_stopping() { tell("STOPPING=1"); }

}  // namespace connscope::service
