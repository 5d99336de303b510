// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace connscope::ingest {
namespace {

using ::testing::HasSubstr;

class SocketsTest : public ::testing::Test {
 protected:
  connscope::testing::TempDir folder_ = std::move(*connscope::testing::TempDir::create());
  std::string path_ = folder_.path() + "/run/ingest.sock";
};

TEST_F(SocketsTest, TheFileHasItsModeAndGoesWithTheSocket) {
  {
    const auto bound = UnixSocket::bind(path_, 0620);
    ASSERT_TRUE(bound) << bound.error().message();
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0620U);
  }
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST_F(SocketsTest, AnotherAgentThatReceivesIsLeftAlone) {
  const auto first = UnixSocket::bind(path_, 0600);
  ASSERT_TRUE(first);
  const auto second = UnixSocket::bind(path_, 0600);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr(path_ + ": another process receives there"));
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(SocketsTest, TheFileOfAnAgentThatWasKilledIsReplaced) {
  const std::string left = path_ + ".left";
  {
    const auto killed = UnixSocket::bind(path_, 0600);
    ASSERT_TRUE(killed);
    ASSERT_EQ(::link(path_.c_str(), left.c_str()), 0);
  }
  ASSERT_EQ(::rename(left.c_str(), path_.c_str()), 0);
  EXPECT_TRUE(UnixSocket::bind(path_, 0600));
}

TEST_F(SocketsTest, WhatIsNoSocketIsNotTouched) {
  const std::string file = std::move(*folder_.write("notes.txt", "mine"));
  const auto bound = UnixSocket::bind(file, 0600);
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().message(), HasSubstr("notes.txt: is there, and is no socket"));
  EXPECT_EQ(::access(file.c_str(), F_OK), 0);
}

TEST_F(SocketsTest, UdpIsForLoopbackAlone) {
  EXPECT_TRUE(bind_udp("127.0.0.1:0"));
  EXPECT_FALSE(bind_udp("0.0.0.0:0"));
}

}  // namespace
}  // namespace connscope::ingest
