// SPDX-License-Identifier: Apache-2.0
//
// What the agent hears from a service manager and says to it. The test is the manager: it sets the environment of its
// own process, which no other thread looks at.
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "agent/service/capabilities.h"
#include "agent/service/handed_over.h"
#include "agent/service/supervision.h"
#include "tests/support/temp_dir.h"

namespace connscope::service {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kFirstHandedOver = 3;

/// An environment variable for as long as this lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

/// The manager's end of the notification socket.
class Manager {
 public:
  Manager() : folder_(*testing::TempDir::create()), path_(folder_.path() + "/notify"), notify_("NOTIFY_SOCKET", path_) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }

  /// The next message; empty when there is none.
  [[nodiscard]] std::string heard() const {
    std::array<char, 512> text{};
    const ssize_t length = ::recv(socket_.get(), text.data(), text.size(), 0);
    return length < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(length));
  }

 private:
  testing::TempDir folder_;
  std::string path_;
  Variable notify_;
  UniqueFd socket_;
};

TEST(Supervision, TellsTheManagerWhereTheAgentIs) {
  const Manager manager;
  Supervision::tell_ready("serving");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=serving");
  Supervision::tell_reloading();
  EXPECT_THAT(manager.heard(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  Supervision::tell_stopping();
  EXPECT_EQ(manager.heard(), "STOPPING=1");
}

TEST(Supervision, AStatusOfManyLinesIsOneLine) {
  const Manager manager;
  Supervision::tell_ready("config not reloaded: a\nWATCHDOG=1");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=config not reloaded: a WATCHDOG=1");
}

TEST(Supervision, GivesASignOfLifeTwiceInAPeriod) {
  const Manager manager;
  const Variable period("WATCHDOG_USEC", "40000");
  auto supervision = Supervision::create();
  ASSERT_TRUE(supervision) << supervision.error().message();
  pollfd due{supervision->fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&due, 1, 1000), 1);
  supervision->tick();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
  supervision->tick();
  EXPECT_EQ(manager.heard(), "") << "none is due again at once";
}

TEST(Supervision, WithoutAManagerThereIsNothingToDo) {
  const auto supervision = Supervision::create();
  ASSERT_TRUE(supervision);
  EXPECT_EQ(supervision->fd(), -1);
  Supervision::tell_ready("serving");
}

/// Leaves a socket where a manager leaves its first one.
void hand_over(int type, bool listening) {
  UniqueFd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof(loopback)), 0);
  if (listening) {
    EXPECT_EQ(::listen(socket.get(), 1), 0);
  }
  if (socket.get() == kFirstHandedOver) {
    socket.release();
  } else {
    EXPECT_EQ(::dup2(socket.get(), kFirstHandedOver), kFirstHandedOver);
  }
}

class HandedOver : public ::testing::Test {
 protected:
  const Variable pid_{"LISTEN_PID", std::to_string(::getpid())};
  const Variable count_{"LISTEN_FDS", "1"};
  const Variable names_{"LISTEN_FDNAMES", "scrape"};
};

TEST_F(HandedOver, TheAgentOwnsSocketsThatListen) {
  hand_over(SOCK_STREAM, true);
  auto sockets = take_handed_over_sockets();
  ASSERT_TRUE(sockets) << sockets.error().message();
  ASSERT_EQ(sockets->size(), 1U);
  EXPECT_EQ(sockets->front().get(), kFirstHandedOver);
  const auto again = take_handed_over_sockets();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty()) << "what was taken is not there a second time";
}

TEST_F(HandedOver, WhatDoesNotListenIsRefusedByItsName) {
  hand_over(SOCK_DGRAM, false);
  const auto sockets = take_handed_over_sockets();
  ASSERT_FALSE(sockets);
  EXPECT_THAT(sockets.error().message(), HasSubstr("'scrape'"));
}

TEST(HandedOverNothing, IsNoError) {
  const auto sockets = take_handed_over_sockets();
  ASSERT_TRUE(sockets);
  EXPECT_TRUE(sockets->empty());
}

TEST(Capabilities, ThoseThatLackAreNamed) {
  std::uint64_t all = 0;
  for (const Capability& one : used_capabilities()) all |= 1ULL << one.number;
  EXPECT_TRUE(lacking_in(all).empty());
  const auto lacking = lacking_in(all & ~(1ULL << CAP_NET_ADMIN));
  ASSERT_EQ(lacking.size(), 1U);
  EXPECT_EQ(lacking.front().name, "CAP_NET_ADMIN");
  EXPECT_EQ(lacking_in(0).size(), used_capabilities().size());
}

TEST(Capabilities, AreReadAsTheKernelWritesThem) {
  const auto mask = effective_capabilities("Name:\tconnscope\nCapPrm:\t0000000000000001\nCapEff:\t000001c000081004\n");
  ASSERT_TRUE(mask);
  EXPECT_EQ(*mask, 0x1c000081004ULL);
  EXPECT_FALSE(effective_capabilities("Name:\tconnscope\n"));
  EXPECT_FALSE(effective_capabilities("Name:\tconnscope\nCapEff:\tnone\n"));
  EXPECT_TRUE(missing_capabilities());
}

}  // namespace
}  // namespace connscope::service
