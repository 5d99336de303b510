// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/event_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

namespace connscope::runtime {
namespace {

using namespace std::chrono_literals;

TEST(EventLoop, CallsBackForADescriptorATimerAndASignal) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  const UniqueFd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  int readable = 0;
  int ticks = 0;
  int signal = 0;
  ASSERT_TRUE(loop->watch_signals({SIGUSR1}, [&](int number) {
    signal = number;
    loop->stop();
  }));
  ASSERT_TRUE(loop->watch(event.get(), [&] {
    eventfd_t value = 0;
    ::eventfd_read(event.get(), &value);
    ++readable;
  }));
  ASSERT_TRUE(loop->every(1ms, [&] {
    if (++ticks == 3) ::kill(::getpid(), SIGUSR1);
  }));
  ASSERT_TRUE(loop->run());
  EXPECT_EQ(readable, 1);
  EXPECT_GE(ticks, 3);
  EXPECT_EQ(signal, SIGUSR1);
}

TEST(EventLoop, ATimerCanBeChangedByItsOwnCallback) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  bool changed = false;
  ASSERT_TRUE(loop->every(1ms, [&] { ASSERT_TRUE(loop->every(2ms, [&] { changed = true, loop->stop(); })); }));
  ASSERT_TRUE(loop->run());
  EXPECT_TRUE(changed);
}

TEST(EventLoop, AnErrorNamesTheCall) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  const auto watched = loop->watch(-1, [] {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().message(), "epoll_ctl: Bad file descriptor");
}

}  // namespace
}  // namespace connscope::runtime
