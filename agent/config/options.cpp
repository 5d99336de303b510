// SPDX-License-Identifier: Apache-2.0
#include "agent/config/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/config/message.h"

namespace connscope::config {
namespace {

constexpr unsigned kMaxRequestsLimit = 100000;

template <class T, std::size_t N>
using Names = std::array<std::pair<std::string_view, T>, N>;

constexpr Names<LogLevel, 6> kLogLevels{{{"trace", LogLevel::kTrace},
                                         {"debug", LogLevel::kDebug},
                                         {"info", LogLevel::kInfo},
                                         {"warn", LogLevel::kWarn},
                                         {"error", LogLevel::kError},
                                         {"off", LogLevel::kOff}}};
constexpr Names<LogFormat, 2> kLogFormats{{{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};

std::optional<unsigned> parse_unsigned(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

// The checks below answer as CLI11 wants it: with what is wrong, or with nothing.

std::string check_file_name(const std::string& value) { return value.empty() ? "the file name is empty" : ""; }

std::string check_listen_address(const std::string& value) {
  const std::string wrong = in_quotes(value) + " is not an address; allowed: HOST:PORT, [IPV6]:PORT, :PORT";
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || !parse_unsigned(std::string_view(value).substr(colon + 1), 65535)) return wrong;
  const std::string_view host = std::string_view(value).substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view name = bracketed ? host.substr(1, host.size() - 2) : host;
  const std::string_view forbidden = bracketed ? "[] /" : "[]: /";
  return name.find_first_of(forbidden) == std::string_view::npos ? "" : wrong;
}

/// Letters, digits and "-._~/" only: everything else means something else to a URL, or to the server's routes.
bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").find(c) != std::string_view::npos;
}

/// Clients and servers take "//", "/./" and "/../" out of a path, so that one with them is never asked for.
bool has_odd_segment(std::string_view path) {
  const std::string closed = std::string(path) + "/";
  return path.find("//") != std::string_view::npos || closed.find("/./") != std::string::npos ||
         closed.find("/../") != std::string::npos;
}

std::string check_telemetry_path(const std::string& value) {
  const bool well_formed = !value.empty() && value.front() == '/' &&
                           std::all_of(value.begin(), value.end(), is_path_character) && !has_odd_segment(value);
  if (!well_formed) {
    return in_quotes(value) + " is not a path; allowed: /NAME, of letters, digits and - . _ ~ /";
  }
  static constexpr std::string_view kTaken[] = {"/", "/-/healthy", "/-/ready", "/connections", "/status"};
  if (std::find(std::begin(kTaken), std::end(kTaken), value) == std::end(kTaken)) return "";
  return in_quotes(value) + " is taken; allowed: any path but " + joined({std::begin(kTaken), std::end(kTaken)});
}

std::string check_max_requests(const std::string& value) {
  if (parse_unsigned(value, kMaxRequestsLimit)) return "";
  return in_quotes(value) + " is out of range; allowed: 0 (no limit) to " + std::to_string(kMaxRequestsLimit);
}

template <class T, std::size_t N>
std::optional<T> named(const Names<T, N>& names, std::string_view name) {
  for (const auto& candidate : names) {
    if (candidate.first == name) return candidate.second;
  }
  return std::nullopt;
}

template <class T, std::size_t N>
CLI::Validator name_check(const Names<T, N>& names) {
  return CLI::Validator(
      [&names](std::string& value) -> std::string {
        if (named(names, value)) return "";
        std::vector<std::string_view> allowed;
        for (const auto& name : names) allowed.push_back(name.first);
        return in_quotes(value) + " is unknown; allowed: " + joined(allowed);
      },
      "");
}

/// The strings that CLI11 fills in; to_options makes them what they mean, after the checks.
struct Arguments {
  std::string config_file;
  std::vector<std::string> listen_addresses = Options{}.listen_addresses;
  std::string telemetry_path = Options{}.telemetry_path;
  std::string max_requests = std::to_string(Options{}.max_requests);
  std::string log_level = "info";
  std::string log_format = "text";
};

void describe(CLI::App& app, Arguments& arguments, const std::string& version_text) {
  app.set_version_flag("--version", version_text, "Print the version and exit");
  app.add_option("--config", arguments.config_file,
                 "Config file (default: " + std::string(kDefaultConfigFile) + " if it exists, else built-in defaults)")
      ->type_name("FILE")
      ->check(check_file_name);
  app.add_option("--web.listen-address", arguments.listen_addresses,
                 "Address to serve on, repeatable (default: 127.0.0.1:9752)")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false)
      ->check(check_listen_address);
  app.add_option("--web.telemetry-path", arguments.telemetry_path, "Path of the metrics (default: /metrics)")
      ->type_name("PATH")
      ->check(check_telemetry_path);
  app.add_option("--web.max-requests", arguments.max_requests,
                 "Scrapes answered at the same time, 0 = no limit (default: 40)")
      ->type_name("N")
      ->check(check_max_requests);
  app.add_option("--log.level", arguments.log_level, "trace, debug, info, warn, error or off (default: info)")
      ->type_name("LEVEL")
      ->check(name_check(kLogLevels));
  app.add_option("--log.format", arguments.log_format, "text or json (default: text)")
      ->type_name("FORMAT")
      ->check(name_check(kLogFormats));
}

/// Of a flag that is given twice the last counts, as it does for those who read the list.
void describe_part(CLI::App& app, const PartFlag& flag, std::vector<std::pair<std::string, std::string>>& given) {
  const auto take = [&given, name = flag.name](const std::string& value) { given.emplace_back(name, value); };
  CLI::Option* option = nullptr;
  if (flag.is_switch) {
    option = app.add_flag_callback(
        "--" + flag.name, [take] { take("true"); }, flag.help);
    app.add_flag_callback("--no-" + flag.name, [take] { take("false"); })->group("");
  } else {
    option = app.add_option_function<std::string>("--" + flag.name, take, flag.help)->type_name("VALUE");
  }
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->trigger_on_parse()->group("The host's metrics");
}

/// Which subcommand was given, if any.
Command command_of(const CLI::App& app) {
  static constexpr Names<Command, 6> kCommands{{{"check-config", Command::kCheckConfig},
                                                {"show", Command::kShow},
                                                {"top", Command::kTop},
                                                {"events", Command::kEvents},
                                                {"policy", Command::kPolicy},
                                                {"expose", Command::kExpose}}};
  const auto given = app.get_subcommands();
  return given.empty() ? Command::kRun : named(kCommands, given.front()->get_name()).value_or(Command::kRun);
}

Options to_options(const CLI::App& app, Arguments arguments, std::string checked_file, CommandOptions commands) {
  Options options;
  options.command = command_of(app);
  const bool checking = options.command == Command::kCheckConfig;
  options.config_file = checking ? std::move(checked_file) : std::move(arguments.config_file);
  options.listen_addresses = std::move(arguments.listen_addresses);
  options.telemetry_path = std::move(arguments.telemetry_path);
  options.max_requests = parse_unsigned(arguments.max_requests, kMaxRequestsLimit).value_or(options.max_requests);
  options.log_level = named(kLogLevels, arguments.log_level).value_or(options.log_level);
  options.log_format = named(kLogFormats, arguments.log_format).value_or(options.log_format);
  options.commands = std::move(commands);
  return options;
}

/// Of the subcommand that was given, or of all.
std::string help_for(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app.help() : given.front()->help("connscope");
}

Exit refusal(std::string_view message) { return {2, "connscope: " + printable(message) + "\nSee connscope --help.\n"}; }

Exit refuse_argument(const CLI::App& app, const std::string& argument) {
  if (argument.empty() || argument.front() != '-') return refusal("unexpected argument " + in_quotes(argument));
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) flags.push_back("--" + option->get_single_name());
  const std::string_view near = nearest(name, {flags.begin(), flags.end()});
  return refusal("unknown flag " + name + (near.empty() ? "" : " (did you mean " + std::string(near) + "?)"));
}

}  // namespace

Outcome parse_command_line(int argc, const char* const* argv, const std::string& version_text,
                           const std::vector<PartFlag>& part_flags) {
  CLI::App app("Connection timings and failure reasons of every process, as OpenMetrics", "connscope");
  CLI::App& check_config = *app.add_subcommand("check-config", "Check a config file and exit");
  try {
    Arguments arguments;
    std::string checked_file;
    CommandOptions commands;
    describe(app, arguments, version_text);
    std::vector<std::pair<std::string, std::string>> given;
    for (const PartFlag& flag : part_flags) describe_part(app, flag, given);
    check_config.fallthrough();  // the flags may follow the command too
    check_config.add_option("FILE", checked_file, "The config file")->type_name("")->required()->check(check_file_name);
    add_commands(app, commands);
    app.require_subcommand(0, 1);
    app.parse(argc, argv);
    Options options = to_options(app, std::move(arguments), std::move(checked_file), std::move(commands));
    options.part_flags = std::move(given);
    return options;
  } catch (const CLI::CallForHelp&) {
    return Exit{0, help_for(app)};
  } catch (const CLI::CallForVersion& version) {
    return Exit{0, std::string(version.what()) + "\n"};
  } catch (const CLI::ExtrasError& error) {
    const std::vector<std::string> extras = app.remaining(true);
    return extras.empty() ? refusal(error.what()) : refuse_argument(app, extras.front());
  } catch (const std::exception& error) {
    return refusal(error.what());
  }
}

Result<Document> load_config(const std::string& config_file, const std::string& default_file) {
  if (!config_file.empty()) return Document::load(config_file);
  auto document = Document::load(default_file);
  if (!document && document.error().code() == ENOENT) return Document::parse("", "built-in defaults");
  return document;
}

}  // namespace connscope::config
