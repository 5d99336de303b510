// SPDX-License-Identifier: Apache-2.0
#include "agent/config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/config/command_line.h"

namespace connscope::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The first line of the refusal, without the name of the program.
std::string refused(const std::vector<const char*>& arguments) {
  const Outcome outcome = parse(arguments);
  const auto* exit = std::get_if<Exit>(&outcome);
  if (exit == nullptr) return "was accepted";
  EXPECT_EQ(exit->code, 2);
  EXPECT_TRUE(exit->text.starts_with("connscope: ") && exit->text.ends_with("\nSee connscope --help.\n")) << exit->text;
  return exit->text.substr(11, exit->text.find('\n') - 11);
}

TEST(Options, Defaults) {
  const Options options = accepted({});
  EXPECT_EQ(options.command, Command::kRun);
  EXPECT_EQ(options.config_file, "");
  EXPECT_THAT(options.listen_addresses, ElementsAre("127.0.0.1:9752"));
  EXPECT_EQ(options.telemetry_path, "/metrics");
  EXPECT_EQ(options.max_requests, 40U);
  EXPECT_EQ(options.log_level, LogLevel::kInfo);
  EXPECT_EQ(options.log_format, LogFormat::kText);
}

TEST(Options, TakesBothForms) {
  const Options options = accepted({"--config", "c.toml", "--web.telemetry-path=/m/x", "--web.max-requests", "0",
                                    "--log.level=warn", "--log.format", "json"});
  EXPECT_EQ(options.config_file, "c.toml");
  EXPECT_EQ(options.telemetry_path, "/m/x");
  EXPECT_EQ(options.max_requests, 0U);
  EXPECT_EQ(options.log_level, LogLevel::kWarn);
  EXPECT_EQ(options.log_format, LogFormat::kJson);
}

TEST(Options, EveryLogLevel) {
  EXPECT_EQ(accepted({"--log.level=trace"}).log_level, LogLevel::kTrace);
  EXPECT_EQ(accepted({"--log.level=debug"}).log_level, LogLevel::kDebug);
  EXPECT_EQ(accepted({"--log.level=info"}).log_level, LogLevel::kInfo);
  EXPECT_EQ(accepted({"--log.level=error"}).log_level, LogLevel::kError);
  EXPECT_EQ(accepted({"--log.level=off"}).log_level, LogLevel::kOff);
  EXPECT_EQ(refused({"--log.level=INFO"}),
            "--log.level: \"INFO\" is unknown; allowed: trace, debug, info, warn, error, off");
  EXPECT_EQ(refused({"--log.format=xml"}), "--log.format: \"xml\" is unknown; allowed: text, json");
}

TEST(Options, ListenAddressesReplaceTheDefault) {
  const Options options = accepted(
      {"--web.listen-address", "[::1]:9752", "--web.listen-address=:80", "--web.listen-address", "localhost:0"});
  EXPECT_THAT(options.listen_addresses, ElementsAre("[::1]:9752", ":80", "localhost:0"));
}

TEST(Options, ListenAddressesNeedAPort) {
  for (const char* address : {"localhost", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "1.2.3.4:-1", "::1:80", "[]:80",
                              "[::1:80", "a/b:80", "a b:80"}) {
    EXPECT_EQ(refused({"--web.listen-address", address}),
              "--web.listen-address: \"" + std::string(address) +
                  "\" is not an address; allowed: HOST:PORT, [IPV6]:PORT, :PORT");
  }
}

TEST(Options, BracketsAloneAreNoAddress) {
  // CLI11 of later versions takes "[x]" for a list of one, so that the message shows what is inside.
  EXPECT_THAT(refused({"--web.listen-address", "[::1]"}), HasSubstr("is not an address; allowed: HOST:PORT"));
}

TEST(Options, TelemetryPathIsAPathOfItsOwn) {
  for (const char* path : {"/", "/-/healthy", "/-/ready", "/connections", "/status"}) {
    EXPECT_EQ(refused({"--web.telemetry-path", path}),
              "--web.telemetry-path: \"" + std::string(path) +
                  "\" is taken; allowed: any path but /, /-/healthy, /-/ready, /connections, /status");
  }
  for (const char* path : {"metrics", "/a?b", "/a b", "/a#", "/**", "//a", "/./a", "/a/.."}) {
    EXPECT_EQ(refused({"--web.telemetry-path", path}),
              "--web.telemetry-path: \"" + std::string(path) +
                  "\" is not a path; allowed: /NAME, of letters, digits and - . _ ~ /");
  }
}

TEST(Options, MaxRequestsIsACount) {
  EXPECT_EQ(accepted({"--web.max-requests=100000"}).max_requests, 100000U);
  for (const char* count : {"-1", "100001", "many", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(refused({"--web.max-requests", count}),
              "--web.max-requests: \"" + std::string(count) + "\" is out of range; allowed: 0 (no limit) to 100000");
  }
}

TEST(Options, UnknownFlagsAreNamed) {
  EXPECT_EQ(refused({"--web.listen-adress=x"}),
            "unknown flag --web.listen-adress (did you mean --web.listen-address?)");
  EXPECT_EQ(refused({"--frobnicate", "x"}), "unknown flag --frobnicate");
  EXPECT_EQ(refused({"-x"}), "unknown flag -x");
  EXPECT_EQ(refused({"run\n"}), "unexpected argument \"run\\x0a\"");
  EXPECT_EQ(refused({""}), "unexpected argument \"\"");
}

TEST(Options, MissingValuesAreRefused) {
  EXPECT_THAT(refused({"--config"}), HasSubstr("--config"));
  EXPECT_THAT(refused({"--config="}), HasSubstr("--config"));
  EXPECT_THAT(refused({"--config", "a", "--config", "b"}), HasSubstr("--config"));
  EXPECT_EQ(refused({"--config", ""}), "--config: the file name is empty");
}

TEST(Options, CheckConfigTakesOneFile) {
  const Options options = accepted({"check-config", "c.toml"});
  EXPECT_EQ(options.command, Command::kCheckConfig);
  EXPECT_EQ(options.config_file, "c.toml");
  EXPECT_EQ(accepted({"check-config", "c.toml", "--log.level=debug"}).log_level, LogLevel::kDebug);
  EXPECT_EQ(refused({"check-config"}), "FILE is required");
  EXPECT_EQ(refused({"check-config", "a", "b"}), "unexpected argument \"b\"");
}

TEST(Options, VersionIsPrinted) {
  const Outcome outcome = parse({"--version"});
  EXPECT_EQ(std::get<Exit>(outcome).code, 0);
  EXPECT_EQ(std::get<Exit>(outcome).text, "connscope 1.2.3\n");
}

TEST(Options, HelpNamesEveryFlag) {
  const Outcome outcome = parse({"--help"});
  const auto& exit = std::get<Exit>(outcome);
  EXPECT_EQ(exit.code, 0);
  for (const char* flag :
       {"--config FILE", "--web.listen-address HOST:PORT", "--web.telemetry-path PATH", "--web.max-requests N",
        "--log.level LEVEL", "--log.format FORMAT", "--version", "--help", "check-config"}) {
    EXPECT_THAT(exit.text, HasSubstr(flag));
  }
}

TEST(Options, HelpOfCheckConfig) {
  const Outcome outcome = parse({"check-config", "--help"});
  EXPECT_EQ(std::get<Exit>(outcome).code, 0);
  EXPECT_THAT(std::get<Exit>(outcome).text, HasSubstr("connscope check-config [OPTIONS] FILE"));
}

}  // namespace
}  // namespace connscope::config
