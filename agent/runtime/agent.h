// SPDX-License-Identifier: Apache-2.0
//
// Agent: one running connscope, put together from parts that main.cpp chooses. create() binds the addresses, run()
// starts the probes and serves until SIGTERM or SIGINT; SIGHUP reloads the config whole or not at all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/idle_memory.h"
#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/config/options.h"
#include "agent/control/server.h"
#include "agent/http/server.h"
#include "agent/runtime/collect_cycle.h"
#include "agent/runtime/connections_page.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/reporting.h"
#include "agent/service/supervision.h"
#include "agent/terminal/events_answer.h"
#include "exporters/catalog.h"

namespace connscope::runtime {

struct AgentParts {
  std::function<std::unique_ptr<probe::IdentityProbe>()> make_identity_probe;
  ProbesFactory make_probes;
  std::vector<exporters::Format> formats;
  std::string version;
  /// The host's metrics by their config section; empty: none.
  std::function<Result<std::unique_ptr<host::HostMetrics>>(config::Section)> make_host;
};

/// Reads every section as a running agent would, and gives all problems at once.
Status check_config(const config::Document& document, const AgentParts& parts);

class Agent {
 public:
  static Result<std::unique_ptr<Agent>> create(config::Options options, const config::Document& document,
                                               AgentParts parts);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() = default;

  Status run();

 private:
  Agent(config::Options options, AgentParts parts, EventLoop loop, service::Supervision supervision);
  void on_signal(int signal);
  void start_control();
  void collect();
  void tick();
  Status reload();

  config::Options options_;
  AgentParts parts_;
  EventLoop loop_;
  service::Supervision supervision_;
  std::unique_ptr<CollectCycle> cycle_;
  std::unique_ptr<Reporting> reporting_;  // after what it takes outliers from
  control::Settings control_settings_;
  std::unique_ptr<ConnectionsPage> connections_page_;
  std::unique_ptr<terminal::EventFollowers> followers_;  // nullptr when there is no control socket
  std::unique_ptr<control::Server> control_;             // after what its handlers use; nullptr when it is off
  std::unique_ptr<http::Server> server_;                 // likewise
  std::chrono::milliseconds collect_interval_{};
  IdleMemory idle_memory_;
};

}  // namespace connscope::runtime
