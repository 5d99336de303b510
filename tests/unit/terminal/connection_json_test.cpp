// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/connection_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/terminal/events.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

detail::Connection refused() {
  detail::Connection connection;
  connection.time = std::chrono::system_clock::time_point(1769860800123ms);
  connection.kinds = detail::kFailure;
  connection.process = "curl";
  connection.pid = 812;
  connection.ok = false;
  connection.reason = "refused";
  connection.duration_ns = 61'500;
  connection.tcp_ns = 61'500;
  connection.peer = "192.0.2.1:443";
  connection.host = "example.org";
  return connection;
}

TEST(ConnectionJson, HasWhatIsKnown) {
  EXPECT_EQ(connection_json(refused(), {true, true}), json::parse(R"({
    "time": "2026-01-31T12:00:00.123Z", "process": "curl", "pid": 812, "role": "client", "stage": "tcp",
    "metric": "n.cn.tcp", "outcome": "fail", "reason": "refused", "duration_us": 61.5, "tcp_us": 61.5,
    "peer": "192.0.2.1:443", "host": "example.org", "kinds": ["failure"]})"));
  detail::Connection little;
  little.kinds = detail::kOutlier | detail::kAttempt;
  little.stage = detail::Stage::kAttempt;
  little.metric = detail::Metric::kLife;  // it has no id
  little.mean_ns = 1'000'000;
  EXPECT_EQ(connection_json(little, {true, true}), json::parse(R"({
    "time": "1970-01-01T00:00:00.000Z", "process": "", "role": "client", "stage": "attempt", "outcome": "ok",
    "duration_us": 0.0, "mean_us": 1000.0, "kinds": ["outlier", "attempt"]})"));
}

TEST(ConnectionJson, PeersAndHostsHaveTheirSwitches) {
  EXPECT_FALSE(connection_json(refused(), {}).contains("peer"));
  EXPECT_FALSE(connection_json(refused(), {}).contains("host"));
  EXPECT_TRUE(connection_json(refused(), {true, false}).contains("peer"));
  EXPECT_TRUE(connection_json(refused(), {false, true}).contains("host"));
}

TEST(EventText, SaysWhoWhatAndWhy) {
  EXPECT_EQ(event_text(connection_json(refused(), {true, true})),
            "12:00:00.123Z curl[812] tcp refused after 61.5µs, host example.org, peer 192.0.2.1:443");
  detail::Connection outlier = refused();
  outlier.kinds = detail::kOutlier;
  outlier.ok = true;
  outlier.reason = "";
  outlier.role = detail::Role::kServer;
  outlier.stage = detail::Stage::kAttempt;
  outlier.mean_ns = 1'000'000;
  outlier.pid = 0;
  outlier.dns_ns = 2'000'000;
  EXPECT_EQ(event_text(connection_json(outlier, {})),
            "12:00:00.123Z curl (server) attempt ok after 61.5µs (outlier; mean 1.00ms), dns 2.00ms, tcp 61.5µs");
}

TEST(EventText, CannotControlATerminal) {
  detail::Connection hostile = refused();
  hostile.process = "\x1b[2J\n";
  hostile.host = "a\x9b";
  const std::string text = event_text(
      json::parse(connection_json(hostile, {true, true}).dump(-1, ' ', false, json::error_handler_t::replace)));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(EventText, TakesAnyObject) {
  for (const char* line : {"{}", R"({"kinds":7,"pid":-1,"time":1,"duration_us":"x"})", R"({"kinds":{"a":"outlier"}})"})
    EXPECT_NE(event_text(json::parse(line)).find(" after "), std::string::npos) << line;
}

}  // namespace
}  // namespace connscope::terminal
