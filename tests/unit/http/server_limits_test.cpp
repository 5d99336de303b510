// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/unit/http/server_fixture.h"

namespace connscope::http {
namespace {

TEST_F(ServerTest, BeyondMaxRequestsLimitedRoutesAreRefusedAndOthersNot) {
  start({{}, 3});
  std::vector<testing::HttpConnection> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(connect());
    ASSERT_TRUE(slow.back().send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"));
  }
  gate_.wait_for_arrivals(3);
  const auto refused = get("/metrics");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(refused.body.substr(0, 24), "503 Service Unavailable:");
  EXPECT_EQ(get("/hello").status, 200);
  gate_.open();
  for (auto& connection : slow) {
    const auto reply = connection.receive();
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->body, "slow\n");
  }
  EXPECT_EQ(get("/metrics").status, 200) << "the places are free again";
}

TEST_F(ServerTest, ZeroMaxRequestsIsNoLimit) {
  start({{}, 0});
  std::vector<testing::HttpConnection> slow;
  for (std::size_t i = 0; i < 60; ++i) {
    slow.push_back(connect());
    ASSERT_TRUE(slow.back().send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"));
  }
  gate_.wait_for_arrivals(60);
  EXPECT_EQ(get("/metrics").status, 200);
  gate_.open();
  for (auto& connection : slow) {
    const auto reply = connection.receive();
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->status, 200);
  }
}

TEST_F(ServerTest, AClientThatLeavesWhileItsHandlerRunsHarmsNobody) {
  start();
  {
    auto leaving = connect();
    ASSERT_TRUE(leaving.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"));
    gate_.wait_for_arrivals(1);
  }
  gate_.open();
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(ServerTest, StopWaitsForHandlersAndClosesAllConnections) {
  start();
  auto idle = connect();
  auto half_open = connect();
  ASSERT_TRUE(half_open.send("GET /hel"));
  std::vector<testing::HttpConnection> slow;
  for (std::size_t i = 0; i < 10; ++i) {
    slow.push_back(connect());
    ASSERT_TRUE(slow.back().send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"));
  }
  gate_.wait_for_arrivals(10);
  std::thread stopping([this] { server_.reset(); });
  gate_.open();
  stopping.join();
  static_cast<void>(idle.send("GET /hello HTTP/1.1\r\n\r\n"));  // it was never accepted, so nobody told it of the end
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_TRUE(half_open.closed_by_server());
  for (auto& connection : slow) EXPECT_TRUE(connection.closed_by_server());
}

}  // namespace
}  // namespace connscope::http
