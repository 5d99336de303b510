// SPDX-License-Identifier: Apache-2.0
#include "tests/support/agent_process.h"

#include <csignal>
#include <cstdlib>

#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

namespace connscope::testing {
namespace {

constexpr char kConfigName[] = "connscope.toml";
// An emulated guest loads the programs slowly.
constexpr std::chrono::seconds kStartLimit(60);
constexpr std::chrono::seconds kStopLimit(10);

/// The port of the address that the log shows; 0 before it is there.
std::uint16_t port_in(const std::string& log) {
  static constexpr std::string_view kBefore = "http://127.0.0.1:";
  const std::size_t at = log.find(kBefore);
  if (at == std::string::npos) return 0;
  return static_cast<std::uint16_t>(std::strtoul(log.c_str() + at + kBefore.size(), nullptr, 10));
}

}  // namespace

Result<AgentProcess> AgentProcess::start(const std::vector<std::string>& command, const std::string& config) {
  auto folder = TempDir::create();
  if (!folder) return folder.error();
  const auto config_path = folder->write(kConfigName, config);
  if (!config_path) return config_path.error();
  SpawnOptions options;
  options.argv = command;
  options.argv.insert(options.argv.end(), {"--config", *config_path, "--web.listen-address", "127.0.0.1:0"});
  auto child = ChildProcess::spawn(options);
  if (!child) return child.error();
  AgentProcess agent(std::move(*folder), std::move(*child));
  if (Status ready = agent.await_ready(); !ready) return ready.error();
  return agent;
}

Status AgentProcess::await_ready() {
  child_.await_output("http://127.0.0.1:", kStartLimit);
  port_ = port_in(log());
  if (port_ == 0) return Error("the agent logged no address:\n" + log());
  const bool ready = eventually(kStartLimit, [&] {
    const auto reply = get("/-/ready");
    return reply && reply->first == 200;
  });
  if (!ready) return Error("the agent did not become ready:\n" + log());
  return {};
}

Result<std::pair<int, std::string>> AgentProcess::get(const std::string& path) const {
  auto reply = http_get("127.0.0.1", port_, path);
  if (!reply) return reply.error();
  return std::pair(reply->status, std::move(reply->body));
}

Result<Exposition> AgentProcess::scrape(const std::string& query) const {
  const auto reply = get("/metrics" + (query.empty() ? "" : "?" + query));
  if (!reply) return reply.error();
  if (reply->first != 200) return Error("scrape: status " + std::to_string(reply->first) + ": " + reply->second);
  return Exposition::parse(reply->second);
}

Status AgentProcess::reload(const std::string& config) {
  if (const auto written = folder_.write(kConfigName, config); !written) return written.error();
  return child_.send_signal(SIGHUP);
}

Result<int> AgentProcess::stop() {
  if (Status sent = child_.send_signal(SIGTERM); !sent) return sent.error();
  return child_.wait(kStopLimit);
}

}  // namespace connscope::testing
