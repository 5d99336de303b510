// SPDX-License-Identifier: Apache-2.0
#include "agent/config/command_options.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "agent/config/message.h"

namespace connscope::config {
namespace {

CLI::App& add_command(CLI::App& app, const char* name, const char* description, CommandOptions& options) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.fallthrough();  // the flags may follow the command too
  command.add_option("--socket", options.socket, "Control socket of the agent (default: what the config says)")
      ->type_name("PATH");
  return command;
}

std::string check_stage(const std::string& value) {
  if (value == "dns" || value == "tcp" || value == "tls" || value == "attempt") return "";
  return in_quotes(value) + " is no stage; allowed: dns, tcp, tls, attempt";
}

void add_show(CLI::App& app, CommandOptions& options) {
  CLI::App& show = add_command(app, "show", "Show metrics of the running agent", options);
  show.add_option("GLOB", options.show.patterns, "Metrics by id (curl.*, *.n.cn.dns) or by family; all when none")
      ->type_name("");
  show.add_flag("--json", options.show.json, "One JSON object a line, for each series");
  show.add_flag("--all", options.show.all, "Also those that are zero");
  show.add_flag("--histogram", options.show.histogram, "Draw the distribution of each timing");
}

void add_top(CLI::App& app, CommandOptions& options) {
  CLI::App& top = add_command(app, "top", "Follow which processes fail, and which are slow", options);
  top.add_option("--interval", options.top.interval_seconds, "Seconds between screens (default: 2)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0))
      ->each([&options](const std::string&) { options.top.has_interval = true; });
  top.add_flag("--once", options.top.once, "Print one page and exit: of all since the agent started, or of --interval");
}

void add_events(CLI::App& app, CommandOptions& options) {
  CLI::App& events = add_command(app, "events", "Follow failures and outliers as they happen", options);
  events.add_option("--process", options.events.process, "Only of these processes (default: *)")->type_name("GLOB");
  events.add_option("--stage", options.events.stage, "Only of this stage: dns, tcp, tls or attempt")
      ->type_name("STAGE")
      ->check(check_stage);
  events.add_flag("--failures", options.events.failures, "Only failures, unless --outliers is given too");
  events.add_flag("--outliers", options.events.outliers, "Only outliers, unless --failures is given too");
  events.add_flag("--json", options.events.json, "One JSON object a line");
}

void add_policy(CLI::App& app, CommandOptions& options) {
  CLI::App& policy = add_command(app, "policy", "List policies, move metrics between them, ask for a report", options);
  policy.require_subcommand(1);
  PolicyOptions& chosen = options.policy;
  policy.add_flag("--json", chosen.json, "One JSON object a line");
  const auto add_action = [&](const char* name, const char* description) -> CLI::App& {
    CLI::App& action = *policy.add_subcommand(name, description);
    action.fallthrough();
    action.callback([&chosen, name] { chosen.action = name; });
    return action;
  };
  add_action("list", "The policies, and what was moved");
  add_action("show", "Metrics of a policy, or of all, with what is not reported yet")
      .add_option("POLICY", chosen.policy, "The policy; all when none")
      ->type_name("");
  CLI::App& move = add_action("move", "Metrics that match are of that policy from now on");
  move.add_option("GLOB", chosen.glob, "Metrics by id, such as 'curl.n.cn.*'")->type_name("")->required();
  move.add_option("POLICY", chosen.policy, "The policy")->type_name("")->required();
  add_action("report", "Report now").add_option("POLICY", chosen.policy, "The policy")->type_name("")->required();
}

void add_expose(CLI::App& app, ExposeOptions& options) {
  CLI::App& expose = *app.add_subcommand("expose", "Serve metrics that programs keep in Redis; needs no probes");
  expose.fallthrough();
  expose.add_option("--redis", options.redis, "Redis (default: [expose] address in the file of --config)")
      ->type_name("HOST:PORT");
  expose.add_option("--namespace", options.namespaces, "Hashes that hold metrics, with commas between them")
      ->type_name("NAME,...")
      ->delimiter(',');
}

}  // namespace

void add_commands(CLI::App& app, CommandOptions& options) {
  add_show(app, options);
  add_top(app, options);
  add_events(app, options);
  add_policy(app, options);
  add_expose(app, options.expose);
}

}  // namespace connscope::config
