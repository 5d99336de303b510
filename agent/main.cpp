// SPDX-License-Identifier: Apache-2.0
//
// Puts connscope together: which probes, which formats, and the command line around them.
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "agent/config/options.h"
#include "agent/host/catalog.h"
#include "agent/runtime/agent.h"
#include "agent/runtime/expose.h"
#include "agent/runtime/logging.h"
#include "agent/terminal/program.h"
#include "bpf/catalog.h"
#include "exporters/catalog.h"

namespace {

using namespace connscope;

constexpr const char* kVersion = CONNSCOPE_VERSION;

std::vector<config::PartFlag> part_flags() {
  std::vector<config::PartFlag> flags;
  for (const host::Flag& flag : host::all_flags()) flags.push_back({flag.name, flag.is_switch(), flag.help});
  return flags;
}

runtime::AgentParts make_parts(const config::Options& options) {
  runtime::AgentParts parts;
  parts.make_identity_probe = bpf::make_identity_probe;
  parts.make_probes = bpf::make_probes;
  parts.formats = exporters::make_formats();
  parts.version = kVersion;
  parts.make_host = [flags = options.part_flags](config::Section section) {
    return host::HostMetrics::create(section, flags);
  };
  return parts;
}

int fail(const Error& error) {
  std::fprintf(stderr, "connscope: %s\n", error.message().c_str());
  return 2;
}

int check_config(const config::Options& options) {
  auto document = config::Document::load(options.config_file);
  if (!document) return fail(document.error());
  if (auto legal = runtime::check_config(*document, make_parts(options)); !legal) return fail(legal.error());
  std::printf("%s: ok\n", options.config_file.c_str());
  return 0;
}

/// A scrape's body is large for a moment, in any of a hundred threads: what is freed goes back to the system, instead
/// of staying in an arena for each thread (agent/decisions/0003-http-on-civetweb.md has figures).
void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

int run(config::Options options) {
  keep_memory_small();
  runtime::set_up_logging(options.log_level, options.log_format);
  auto document = config::load_config(options.config_file);
  if (!document) return fail(document.error());
  auto parts = make_parts(options);
  auto agent = runtime::Agent::create(std::move(options), *document, std::move(parts));
  if (!agent) return fail(agent.error());
  if (auto ended = (*agent)->run(); !ended) {
    spdlog::critical("{}", ended.error().message());
    return 1;
  }
  return 0;
}

int expose(const config::Options& options) {
  runtime::set_up_logging(options.log_level, options.log_format);
  const auto ended = runtime::expose(options, exporters::make_formats(), kVersion);
  return ended ? 0 : fail(ended.error());
}

}  // namespace

int main(int argc, char** argv) {
  auto outcome = config::parse_command_line(argc, argv, std::string("connscope ") + kVersion + "\n", part_flags());
  if (const auto* exit = std::get_if<config::Exit>(&outcome)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  auto options = std::get<config::Options>(std::move(outcome));
  switch (options.command) {
    case config::Command::kRun:
      return run(std::move(options));
    case config::Command::kCheckConfig:
      return check_config(options);
    case config::Command::kExpose:
      return expose(options);
    default:
      return terminal::run(options);
  }
}
