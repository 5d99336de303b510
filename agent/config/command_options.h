// SPDX-License-Identifier: Apache-2.0
//
// What the commands take that are no agent themselves: those that ask a running one, and `expose`. Part of Options
// (options.h), which owns the values.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace connscope::config {

struct ShowOptions {
  std::vector<std::string> patterns;  ///< globs on ids and on families' names
  bool json = false;
  bool all = false;  ///< also what is zero
  bool histogram = false;
};

struct TopOptions {
  double interval_seconds = 2;
  bool has_interval = false;  ///< it was given: --once waits for it
  bool once = false;
};

struct EventsOptions {
  std::string process = "*";
  std::string stage;  ///< empty: all
  bool failures = false;
  bool outliers = false;
  bool json = false;
};

struct PolicyOptions {
  std::string action;  ///< "list", "show", "move" or "report"
  std::string policy;
  std::string glob;  ///< of move
  bool json = false;
};

/// Empty: what the section [expose] of the config says.
struct ExposeOptions {
  std::string redis;                    ///< HOST:PORT, or unix:/PATH
  std::vector<std::string> namespaces;  ///< names of hashes
};

struct CommandOptions {
  std::string socket;  ///< empty: what the config says
  ShowOptions show;
  TopOptions top;
  EventsOptions events;
  PolicyOptions policy;
  ExposeOptions expose;
};

/// The subcommands `show`, `top`, `events`, `policy` and `expose`, which fill in `options` when the command line is
/// parsed. CLI11 throws.
void add_commands(CLI::App& app, CommandOptions& options);

}  // namespace connscope::config
