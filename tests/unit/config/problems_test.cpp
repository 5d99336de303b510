// SPDX-License-Identifier: Apache-2.0
//
// What Document::finish tells: the golden file has the lines that a person sees for golden/problems.toml.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "agent/base/file.h"
#include "agent/config/document.h"

namespace connscope::config {
namespace {

const std::string kGolden = std::string(CONNSCOPE_SOURCE_DIR) + "/tests/unit/config/golden/";

/// Reads as the parts of the agent would.
void read_all(const Section& root) {
  const Section limits = root.table("limits");
  (void)limits.duration("idle", std::chrono::hours(1), std::chrono::minutes(1), std::chrono::hours(168));
  (void)limits.integer("prefixes", 200, 1, 100000);
  (void)limits.integer("series", 20000, 100, 10000000);
  for (const Section& policy : root.tables("policy")) {
    (void)policy.text("name", "");
    (void)policy.texts("report");
    const Section outliers = policy.table("outliers");
    (void)outliers.number("percent", 200, 1, 10000);
    if (!policy.has("interval")) policy.fail("interval", "is missing; allowed: a duration, \"manual\"");
  }
  const Section statsd = root.table("exporter").table("statsd");
  (void)statsd.text("address", "");
  if (statsd.text("address", "").empty()) statsd.fail("address", "is empty; allowed: HOST:PORT");
}

TEST(Problems, GoldenLines) {
  auto text = read_file(kGolden + "problems.toml");
  const auto expected = read_file(kGolden + "problems.txt");
  ASSERT_TRUE(text && expected);
  const auto document = Document::parse(*text, "connscope.toml");
  ASSERT_TRUE(document) << document.error().message();
  read_all(document->root());
  const Status status = document->finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message() + "\n", *expected);
}

TEST(Problems, AbsentSectionsHaveNoLine) {
  const auto document = Document::parse("", "connscope.toml");
  read_all(document->root());
  EXPECT_EQ(document->finish().error().message(),
            "connscope.toml: exporter.statsd.address: is empty; allowed: HOST:PORT");
}

TEST(Problems, FinishMayBeAskedAgain) {
  const auto document = Document::parse("a = 1\n", "connscope.toml");
  EXPECT_EQ(document->finish().error().message(), "connscope.toml:1: a: unknown key; allowed here: nothing");
  EXPECT_EQ(document->root().integer("a", 0, 0, 9), 1);
  EXPECT_TRUE(document->finish());
}

TEST(Problems, OneProblemIsToldOnce) {
  const auto document = Document::parse("a = 'x'\n", "connscope.toml");
  (void)document->root().flag("a", true);
  (void)document->root().flag("a", true);
  EXPECT_EQ(document->finish().error().message(), "connscope.toml:1: a: is a string; allowed: true, false");
}

TEST(Problems, ManyProblemsAreCounted) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "k" + std::to_string(i) + " = 1\n";
  const auto document = Document::parse(text, "connscope.toml");
  const std::string message = document->finish().error().message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 100);
  EXPECT_TRUE(message.ends_with("\nconnscope.toml: 50 more problems")) << message;
}

TEST(Problems, KeysCannotForgeLines) {
  const auto document = Document::parse("\"a\\nconnscope.toml:9: b\" = 1\n", "connscope.toml");
  EXPECT_EQ(document->finish().error().message(),
            "connscope.toml:1: \"a\\x0aconnscope.toml:9: b\": unknown key; allowed here: nothing");
}

}  // namespace
}  // namespace connscope::config
