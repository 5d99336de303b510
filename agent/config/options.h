// SPDX-License-Identifier: Apache-2.0
//
// The command line: `connscope [flags]`, `connscope check-config FILE`, and commands to a running agent. Both "--flag
// value" and "--flag=value" are taken. parse_command_line never ends the process and prints nothing: it answers with
// options to run with, or with a text to print and the code to exit with. Values own their memory. Any thread.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/command_options.h"
#include "agent/config/document.h"

namespace connscope::config {

/// A flag that another part of the agent understands. A switch is `--NAME` and `--no-NAME`, others take a value.
struct PartFlag {
  std::string name;  ///< without dashes
  bool is_switch;
  std::string help;
};

enum class Command { kRun, kCheckConfig, kShow, kTop, kEvents, kPolicy, kExpose };
enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat { kText, kJson };

constexpr const char* kDefaultConfigFile = "/etc/connscope/connscope.toml";

struct Options {
  Command command = Command::kRun;
  /// --config, or FILE of check-config; empty when neither was given: see load_config.
  std::string config_file;
  /// HOST:PORT with a port that is a number; the host may be empty (every address) or in brackets (IPv6).
  std::vector<std::string> listen_addresses = {"127.0.0.1:9752"};
  std::string telemetry_path = "/metrics";
  /// Scrapes answered at the same time; 0 = no limit.
  unsigned max_requests = 40;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  CommandOptions commands;
  /// The part flags that were given, in their order: names without dashes; "true" or "false" for switches.
  std::vector<std::pair<std::string, std::string>> part_flags;
};

/// What to print instead of running: on stdout when `code` is 0 (--help, --version), else on stderr. Ends in '\n'.
struct Exit {
  int code;
  std::string text;
};

using Outcome = std::variant<Options, Exit>;

[[nodiscard]] Outcome parse_command_line(int argc, const char* const* argv, const std::string& version_text,
                                         const std::vector<PartFlag>& part_flags = {});

/// The file of the options. When they name none: the default file if it exists, else an empty document, which makes
/// every part take its built-in defaults.
[[nodiscard]] Result<Document> load_config(const std::string& config_file,
                                           const std::string& default_file = kDefaultConfigFile);

}  // namespace connscope::config
