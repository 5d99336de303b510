// SPDX-License-Identifier: Apache-2.0
//
// FEATURES L31: the latest connections with their timings, bounded, off by default; and D17: nothing private by
// default.
#include "agent/runtime/connections_page.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

namespace connscope::runtime {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ConnectionsPageTest : public ::testing::Test {
 protected:
  void configure(const std::string& text) {
    const auto document = config::Document::parse(text, "c.toml");
    ASSERT_TRUE(document);
    page_.apply(ConnectionsSettings::parse(document->root()));
    ASSERT_TRUE(document->finish()) << document->finish().error().message();
  }

  http::Response get(const std::string& query = "") {
    http::Request request;
    request.path = "/connections";
    request.query = query;
    return page_.route().handler(request);
  }

  void end_attempt(const std::string& process) {
    detail::Connection connection;
    connection.kinds = detail::kAttempt;
    connection.process = process;
    connection.stage = detail::Stage::kAttempt;
    connection.metric = detail::Metric::kAttempt;
    connection.dns_ns = 2'000;
    connection.tcp_ns = 3'000;
    connection.peer = "192.0.2.1:443";
    connection.host = "example.org";
    feed_.publish(connection);
  }

  detail::ConnectionFeed feed_;
  ConnectionsPage page_{feed_};
};

TEST_F(ConnectionsPageTest, L31_IsOffByDefaultAndSaysHowToSwitchItOn) {
  EXPECT_EQ(feed_.wanted(), 0);
  const auto response = get();
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("[connections] keep = 1000"));
}

TEST_F(ConnectionsPageTest, L31_HasTheLatestWithTheirTimings) {
  configure("[connections]\nkeep = 2\n");
  EXPECT_EQ(feed_.wanted(), detail::kAttempt);
  for (const char* process : {"a", "b", "c"}) end_attempt(process);
  const auto response = get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  const json body = json::parse(response.body);
  EXPECT_EQ(body["total"], 3);
  ASSERT_THAT(body["connections"], SizeIs(2));
  EXPECT_EQ(body["connections"][0]["process"], "c");
  EXPECT_EQ(body["connections"][0]["dns_us"], 2.0);
  EXPECT_EQ(body["connections"][0]["tcp_us"], 3.0);
  EXPECT_EQ(body["connections"][0]["outcome"], "ok");
  EXPECT_EQ(body["connections"][1]["process"], "b");
  EXPECT_THAT(json::parse(get("limit=1").body)["connections"], SizeIs(1));
  EXPECT_EQ(get("limit=all").status, 400);
  EXPECT_EQ(get("limit=-1").status, 400);
}

TEST_F(ConnectionsPageTest, D17_PeersAndHostsOnlyWhereTheConfigAsks) {
  configure("[connections]\nkeep = 10\n");
  end_attempt("a");
  EXPECT_EQ(get().body.find("192.0.2.1"), std::string::npos);
  EXPECT_EQ(get().body.find("example.org"), std::string::npos);
  configure("[connections]\nkeep = 10\npeers = true\nhosts = true\n");
  const json body = json::parse(get().body);
  ASSERT_THAT(body["connections"], SizeIs(1));  // the reload has lost nothing
  EXPECT_EQ(body["connections"][0]["peer"], "192.0.2.1:443");
  EXPECT_EQ(body["connections"][0]["host"], "example.org");
}

TEST_F(ConnectionsPageTest, AReloadSwitchesItOffAgain) {
  configure("[connections]\nkeep = 10\n");
  configure("");
  EXPECT_EQ(feed_.wanted(), 0);
  EXPECT_EQ(get().status, 404);
}

TEST(ConnectionsSettings, RefusesWhatIsOutOfRange) {
  const auto document = config::Document::parse("[connections]\nkeep = -1\n", "c.toml");
  ASSERT_TRUE(document);
  ConnectionsSettings::parse(document->root());
  ASSERT_FALSE(document->finish());
  EXPECT_THAT(document->finish().error().message(), HasSubstr("c.toml:2: connections.keep"));
}

}  // namespace
}  // namespace connscope::runtime
