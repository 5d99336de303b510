// SPDX-License-Identifier: Apache-2.0
//
// A server on loopback with one route for each thing that tests look at, and a gate that its slow handler waits for.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/http/server.h"
#include "tests/support/http_client.h"

namespace connscope::http {

/// Handlers wait in pass() until open(); others can wait until some have arrived.
class Gate {
 public:
  void pass();
  void open();
  void wait_for_arrivals(std::size_t count);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
  bool open_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  /// Routes: /hello, /echo, /large (gzip pays), /throw; limited: /metrics, /slow (waits for the gate).
  void start(ServerOptions options = {});
  void TearDown() override;

  [[nodiscard]] testing::HttpConnection connect() const;
  [[nodiscard]] testing::HttpReply get(const std::string& path, const testing::HttpHeaders& headers = {}) const;

  Gate gate_;
  std::unique_ptr<Server> server_;
  std::string host_;
  std::uint16_t port_ = 0;
};

/// What /large and /metrics answer.
const std::string& large_body();

}  // namespace connscope::http
