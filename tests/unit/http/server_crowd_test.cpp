// SPDX-License-Identifier: Apache-2.0
//
// Many clients at once: those that behave, and those that hold connections open.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

#include "tests/unit/http/server_fixture.h"

namespace connscope::http {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

class CrowdTest : public ServerTest {
 protected:
  void hold(std::size_t count, std::string_view bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      held_.push_back(connect());
      ASSERT_TRUE(held_.back().send(bytes));
    }
  }

  /// The reply must come, in the client's ten seconds; how long it took is for people to read.
  void expect_service() {
    const auto begin = Clock::now();
    EXPECT_EQ(get("/metrics").body, large_body());
    std::cout << "a GET beside " << held_.size() << " held connections took " << milliseconds_since(begin) << " ms\n";
  }

  std::vector<testing::HttpConnection> held_;
};

TEST_F(CrowdTest, IdleAndHalfOpenClientsStarveNobody) {
  start();
  hold(150, "");
  hold(150, "GET /met");
  expect_service();
}

TEST_F(CrowdTest, StopDoesNotWaitForClients) {
  start();
  hold(150, "");
  hold(150, "GET /met");
  const auto begin = Clock::now();
  server_.reset();
  const double taken_ms = milliseconds_since(begin);
  std::cout << "stop beside them took " << taken_ms << " ms\n";
  EXPECT_LT(taken_ms, 10000);
}

TEST_F(CrowdTest, ClientsThatDoNotReadStarveNobody) {
  start();
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET /large HTTP/1.1\r\nHost: test\r\n\r\n";
  hold(80, many);  // more than there are threads
  expect_service();
}

TEST_F(CrowdTest, FortyKeepAliveClientsAtOnce) {
  start();
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([this, &good] {
      auto connection = connect();
      for (int k = 0; k < 10; ++k) {
        const auto reply = connection.request("GET", "/metrics", {{"Accept-Encoding", "gzip"}});
        if (reply && reply->status == 200 && reply->body == large_body()) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 400);
}

}  // namespace
}  // namespace connscope::http
