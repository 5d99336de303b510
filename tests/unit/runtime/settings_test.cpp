// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/settings.h"

#include <gtest/gtest.h>

namespace connscope::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Settings, HaveDefaults) {
  auto document = config::Document::parse("", "test.toml");
  const Settings settings = Settings::parse(document->root());
  EXPECT_TRUE(document->finish());
  EXPECT_EQ(settings.series, 20000U);
  EXPECT_EQ(settings.identity_limits.prefixes, 200U);
  EXPECT_EQ(settings.identity_limits.idle, 1h);
  EXPECT_EQ(settings.collect_interval, 10s);
}

TEST(Settings, TakeWhatTheFileSays) {
  auto document = config::Document::parse(
      "[limits]\nseries = 500\nprefixes = 7\nidle = \"90s\"\n[collect]\ninterval = \"250ms\"\n", "test.toml");
  const Settings settings = Settings::parse(document->root());
  EXPECT_TRUE(document->finish());
  EXPECT_EQ(settings.series, 500U);
  EXPECT_EQ(settings.identity_limits.prefixes, 7U);
  EXPECT_EQ(settings.identity_limits.idle, 90s);
  EXPECT_EQ(settings.collect_interval, 250ms);
}

TEST(Settings, AWrongValueNamesFileLineAndKey) {
  auto document = config::Document::parse("[limits]\nprefixes = 0\nserie = 1\n", "test.toml");
  (void)Settings::parse(document->root());
  const auto legal = document->finish();
  ASSERT_FALSE(legal);
  EXPECT_NE(legal.error().message().find("test.toml:2: limits.prefixes: "), std::string::npos);
  EXPECT_NE(legal.error().message().find("test.toml:3: limits.serie: unknown key"), std::string::npos);
}

}  // namespace
}  // namespace connscope::runtime
