// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/program.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstring>

#include "agent/control/protocol.h"
#include "agent/control/settings.h"
#include "agent/terminal/events.h"
#include "agent/terminal/policies.h"
#include "agent/terminal/show.h"
#include "agent/terminal/text.h"
#include "agent/terminal/top.h"

namespace connscope::terminal {

Result<std::string> socket_of(const config::Options& options) {
  if (!options.commands.socket.empty()) return options.commands.socket;
  const auto document = config::load_config(options.config_file);
  // One who may not read the agent's config may be its user still, and the place is the usual one mostly.
  if (!document && options.config_file.empty()) return std::string(control::kDefaultPath);
  if (!document) return document.error();
  const auto settings = control::Settings::parse(document->root());
  if (!settings.enabled) return Error("the config has [control] enabled = false: the agent takes no commands");
  return settings.path;
}

int tell_no_answer(const Error& error) {
  std::fprintf(stderr, "connscope: %s\n", safe(error.message()).c_str());
  return kNoAnswer;
}

Canvas canvas_of_output() {
  Canvas canvas;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    canvas.width = size.ws_col;
    canvas.height = size.ws_row;
  }
  canvas.unicode = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;  // NOLINT(concurrency-mt-unsafe)
  return canvas;
}

int run(const config::Options& options) {
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe)
  const auto socket = socket_of(options);
  if (!socket) return tell_no_answer(socket.error());
  switch (options.command) {
    case config::Command::kTop:
      return top(*socket, options.commands.top);
    case config::Command::kEvents:
      return follow_events(*socket, options.commands.events);
    case config::Command::kPolicy:
      return run_policy(*socket, options.commands.policy);
    default:
      return show(*socket, options.commands.show);
  }
}

}  // namespace connscope::terminal
