// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/settings.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;

Status check(const std::string& lines) {
  auto document = config::Document::parse("[ingest]\n" + lines, "test.toml");
  EXPECT_TRUE(document) << lines;
  (void)Settings::parse(document->root().table("ingest"));
  return document->finish();
}

TEST(IngestSettings, WithoutASectionTheDefaultsHold) {
  auto document = config::Document::parse("", "test.toml");
  EXPECT_EQ(Settings::parse(document->root().table("ingest")), Settings{});
  EXPECT_TRUE(Settings{}.enabled);
  EXPECT_FALSE(Settings{}.udp);
  EXPECT_EQ(Settings{}.mode, 0666U);
}

TEST(IngestSettings, EveryKeyIsTaken) {
  auto document = config::Document::parse(
      "[ingest]\nenabled = false\npath = \"/run/x.sock\"\nmode = \"0620\"\nudp = true\nudp_address = \"[::1]:9125\"\n"
      "series = 7\nprocess_series = 6\nset_values = 5\nidle = \"30s\"\nset_period = \"1m\"\n",
      "test.toml");
  const Settings settings = Settings::parse(document->root().table("ingest"));
  ASSERT_TRUE(document->finish());
  EXPECT_EQ(settings, (Settings{false, "/run/x.sock", 0620, true, "[::1]:9125", Limits{7, 6, 5, 30s, 60s}}));
}

TEST(IngestSettings, AWrongValueIsRefusedWithItsLineAndWhatIsAllowed) {
  const auto message = [](const std::string& lines) {
    const Status legal = check(lines);
    return legal ? "" : legal.error().message();
  };
  EXPECT_EQ(message("path = \"x.sock\""),
            "test.toml:2: ingest.path: is no path of a socket; allowed: an absolute path of at most 107 bytes");
  EXPECT_EQ(message("path = \"/" + std::string(107, 'x') + "\"").substr(0, 25), "test.toml:2: ingest.path:");
  for (const char* mode : {"888", "666x", "01000", ""})
    EXPECT_EQ(message("mode = \"" + std::string(mode) + "\""),
              "test.toml:2: ingest.mode: is no mode; allowed: octal digits in quotes, \"0000\" to \"0777\"");
  for (const char* address :
       {"8125", "10.0.0.1:8125", "0.0.0.0:8125", "127.0.0.1:", "127.0.0.1:70000", "[::]:1", "localhost:1"})
    EXPECT_EQ(message("udp_address = \"" + std::string(address) + "\""),
              "test.toml:2: ingest.udp_address: is not an address of loopback; allowed: 127.X.X.X:PORT, [::1]:PORT");
  EXPECT_NE(message("series = 0"), "");
  EXPECT_NE(message("idle = \"10ms\""), "");
  EXPECT_NE(message("sockets = 1"), "");
}

}  // namespace
}  // namespace connscope::ingest
