// SPDX-License-Identifier: Apache-2.0
#include "agent/config/command_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "tests/unit/config/command_line.h"

namespace connscope::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refused(const std::vector<const char*>& arguments) {
  const Outcome outcome = parse(arguments);
  const auto* exit = std::get_if<Exit>(&outcome);
  if (exit == nullptr) return "was accepted";
  EXPECT_EQ(exit->code, 2);
  return exit->text;
}

TEST(CommandOptions, ShowTakesGlobsAndFlags) {
  const Options plain = accepted({"show"});
  EXPECT_EQ(plain.command, Command::kShow);
  EXPECT_THAT(plain.commands.show.patterns, IsEmpty());
  EXPECT_FALSE(plain.commands.show.json || plain.commands.show.all || plain.commands.show.histogram);
  const Options full =
      accepted({"show", "curl.*", "*.n.cn.dns", "--json", "--all", "--histogram", "--socket", "/run/x.sock"});
  EXPECT_THAT(full.commands.show.patterns, ElementsAre("curl.*", "*.n.cn.dns"));
  EXPECT_TRUE(full.commands.show.json && full.commands.show.all && full.commands.show.histogram);
  EXPECT_EQ(full.commands.socket, "/run/x.sock");
}

TEST(CommandOptions, AConfigFileMayBeNamedBeforeOrAfterTheCommand) {
  EXPECT_EQ(accepted({"--config=a.toml", "top"}).config_file, "a.toml");
  EXPECT_EQ(accepted({"top", "--config=a.toml"}).config_file, "a.toml");
}

TEST(CommandOptions, TopTakesAnInterval) {
  const TopOptions plain = accepted({"top"}).commands.top;
  EXPECT_EQ(plain.interval_seconds, 2);
  EXPECT_FALSE(plain.has_interval);
  const TopOptions given = accepted({"top", "--once", "--interval", "0.5"}).commands.top;
  EXPECT_TRUE(given.once && given.has_interval);
  EXPECT_EQ(given.interval_seconds, 0.5);
  for (const char* interval : {"0", "-1", "3601", "soon"})
    EXPECT_THAT(refused({"top", "--interval", interval}), HasSubstr("--interval")) << interval;
}

TEST(CommandOptions, EventsTakesFilters) {
  const EventsOptions plain = accepted({"events"}).commands.events;
  EXPECT_EQ(plain.process, "*");
  EXPECT_EQ(plain.stage, "");
  EXPECT_FALSE(plain.failures || plain.outliers || plain.json);
  const EventsOptions given =
      accepted({"events", "--process", "cu*", "--stage=dns", "--failures", "--outliers", "--json"}).commands.events;
  EXPECT_EQ(given.process, "cu*");
  EXPECT_EQ(given.stage, "dns");
  EXPECT_TRUE(given.failures && given.outliers && given.json);
  EXPECT_THAT(refused({"events", "--stage=udp"}), HasSubstr("\"udp\" is no stage; allowed: dns, tcp, tls, attempt"));
}

TEST(CommandOptions, WrongOnesAreNamed) {
  EXPECT_THAT(refused({"shwo"}), HasSubstr("unexpected argument \"shwo\""));
  EXPECT_THAT(refused({"events", "curl"}), HasSubstr("unexpected argument \"curl\""));
  EXPECT_THAT(refused({"show", "--jsn"}), HasSubstr("unknown flag --jsn"));
}

TEST(CommandOptions, EachHasItsOwnHelp) {
  for (const char* command : {"show", "top", "events", "check-config"}) {
    const Outcome outcome = parse({command, "--help"});
    const auto* exit = std::get_if<Exit>(&outcome);
    ASSERT_NE(exit, nullptr) << command;
    EXPECT_EQ(exit->code, 0);
    EXPECT_THAT(exit->text, HasSubstr(std::string("connscope ") + command));
  }
}

}  // namespace
}  // namespace connscope::config
