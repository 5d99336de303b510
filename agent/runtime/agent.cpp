// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/agent.h"

#include <linux/capability.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

#include "agent/base/idle_memory.h"
#include "agent/base/thread_rights.h"
#include "agent/runtime/policy_commands.h"
#include "agent/runtime/scrape.h"
#include "agent/service/capabilities.h"
#include "agent/service/handed_over.h"
#include "agent/terminal/show_answer.h"

namespace connscope::runtime {
namespace {

/// What a document asks for. Nothing of it is started.
struct Wanted {
  Settings settings;
  std::unique_ptr<CollectCycle> cycle;
  ReportingPlan reporting;
};

/// For a part that could not be made, whose cause comes first. Parts after it have not read their sections, so that
/// these are no unknown keys.
Error not_made(const config::Document& document, const Error& cause) {
  const Status found = document.found();
  return found ? cause : Error(cause.message() + '\n' + found.error().message(), cause.code());
}

Result<Wanted> read(const config::Document& document, const AgentParts& parts) {
  const config::Section root = document.root();
  Settings settings = Settings::parse(root);
  auto cycle = CollectCycle::create(settings, root, parts.make_identity_probe(), parts.make_probes, parts.version);
  if (!cycle) return not_made(document, cycle.error());
  if (parts.make_host) {
    auto host = parts.make_host(root.table("host"));
    if (!host) return not_made(document, host.error());
    (*cycle)->add_host(std::move(*host));
  }
  ReportingPlan reporting = ReportingPlan::parse(root);
  if (auto legal = document.finish(); !legal) return legal.error();
  return Wanted{std::move(settings), std::move(*cycle), std::move(reporting)};
}

/// A probe that is refused something says so itself; much that a capability opens is just not there without it.
void tell_missing_capabilities() {
  const auto missing = service::missing_capabilities();
  if (!missing) return spdlog::warn("the agent's capabilities are not known: {}", missing.error().message());
  for (const auto& one : *missing) spdlog::warn("without {}: {}", one.name, one.without);
}

/// Packets' programs hang where they shall, for good. All other capabilities are needed for processes and libraries
/// that come later.
void give_up_what_starts_need() {
  if (auto given_up = give_up_capability(CAP_NET_ADMIN); !given_up)
    spdlog::warn("the agent keeps CAP_NET_ADMIN: {}", given_up.error().message());
}

}  // namespace

Status check_config(const config::Document& document, const AgentParts& parts) {
  auto wanted = read(document, parts);
  return wanted ? Status() : Status(wanted.error());
}

Agent::Agent(config::Options options, AgentParts parts, EventLoop loop, service::Supervision supervision)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      loop_(std::move(loop)),
      supervision_(std::move(supervision)) {}

Result<std::unique_ptr<Agent>> Agent::create(config::Options options, const config::Document& document,
                                             AgentParts parts) {
  auto loop = EventLoop::create();
  if (!loop) return loop.error();
  auto supervision = service::Supervision::create();
  if (!supervision) return supervision.error();
  auto sockets = service::take_handed_over_sockets();
  if (!sockets) return sockets.error();
  std::unique_ptr<Agent> agent(
      new Agent(std::move(options), std::move(parts), std::move(*loop), std::move(*supervision)));
  // Before any thread is started, so that none of them takes the signals.
  auto signals = agent->loop_.watch_signals({SIGTERM, SIGINT, SIGHUP}, [a = agent.get()](int s) { a->on_signal(s); });
  if (!signals) return signals.error();
  std::signal(SIGPIPE, SIG_IGN);

  auto wanted = read(document, agent->parts_);
  if (!wanted) return wanted.error();
  agent->cycle_ = std::move(wanted->cycle);
  auto reporting = Reporting::create(std::move(wanted->reporting), agent->cycle_->registry());
  if (!reporting) return reporting.error();
  agent->reporting_ = std::move(*reporting);
  agent->reporting_->connect(agent->cycle_->connections());
  const Settings& settings = wanted->settings;
  agent->collect_interval_ = settings.collect_interval;

  auto routes = make_routes(agent->cycle_->exchange(), agent->cycle_->filtered(), agent->parts_.formats,
                            agent->options_.telemetry_path, agent->parts_.version,
                            {&agent->cycle_->host_exchange(), agent->cycle_->collectors()});
  agent->connections_page_ = std::make_unique<ConnectionsPage>(agent->cycle_->connections());
  agent->connections_page_->apply(settings.connections);
  routes.push_back(agent->connections_page_->route());
  auto server = http::Server::start(
      {agent->options_.listen_addresses, agent->options_.max_requests, std::move(*sockets)}, std::move(routes));
  if (!server) return server.error();
  agent->server_ = std::move(*server);
  agent->control_settings_ = settings.control;
  agent->start_control();
  return agent;
}

Status Agent::run() {
  tell_missing_capabilities();
  cycle_->start();
  give_up_what_starts_need();
  if (cycle_->news_fd() >= 0)
    if (auto watched = loop_.watch(cycle_->news_fd(), [this] { cycle_->take_news(); }); !watched) return watched;
  if (auto followed = cycle_->follow_new_programs(loop_); !followed) return followed;
  if (auto& connections = cycle_->connections(); connections.fd() >= 0)
    if (auto watched = loop_.watch(connections.fd(), [&] { connections.drain(); }); !watched) return watched;
  if (auto watched = loop_.watch(cycle_->exchange().wake_fd(), [this] { collect(); }); !watched) return watched;
  if (supervision_.fd() >= 0)
    if (auto watched = loop_.watch(supervision_.fd(), [this] { supervision_.tick(); }); !watched) return watched;
  const auto collect_host = [this] { cycle_->run_host(CollectCycle::Clock::now()); };
  if (auto watched = loop_.watch(cycle_->host_exchange().wake_fd(), collect_host); !watched) return watched;
  if (auto timed = loop_.every(collect_interval_, [this] { tick(); }); !timed) return timed;
  if (auto timed = reporting_->start(loop_, [this] { collect(); }); !timed) return timed;
  collect();
  for (const auto& url : server_->urls()) spdlog::info("serving metrics on {}{}", url, options_.telemetry_path);
  service::Supervision::tell_ready("serving");
  idle_memory_.release_when_due(CollectCycle::Clock::now());
  if (auto ended = loop_.run(); !ended) return ended;
  service::Supervision::tell_stopping();
  cycle_->finish_input();
  collect();
  reporting_->finish();
  return {};
}

/// Without it the agent does all its work still, so that is no reason not to start.
void Agent::start_control() {
  if (!control_settings_.enabled) return;
  auto control = control::Server::create(control_settings_.path);
  if (!control) return spdlog::error("no commands are taken: {}", control.error().message());
  control_ = std::move(*control);
  add_policy_commands(*control_, *reporting_);
  followers_ = std::make_unique<terminal::EventFollowers>(cycle_->connections());
  control_->add("events", followers_->handler());
  control_->add("show", terminal::make_show_handler([this] { return collect(), cycle_->exchange().latest(); }));
  const auto serve = [this] { control_->serve(), followers_->forget_gone(); };
  if (auto watched = loop_.watch(control_->fd(), serve); !watched) control_.reset();
}

void Agent::collect() {
  if (control_) cycle_->show_control(control_->counts());
  if (followers_) followers_->forget_gone();
  cycle_->show_busy(loop_.busy());
  reporting_->before_collect();
  cycle_->run(CollectCycle::Clock::now());
  reporting_->after_collect(cycle_->exchange().latest());
}

void Agent::tick() {
  collect();
  idle_memory_.release_when_due(CollectCycle::Clock::now());
}

void Agent::on_signal(int signal) {
  if (signal != SIGHUP) {
    spdlog::info("stopping on signal {}", signal);
    loop_.stop();
    return;
  }
  service::Supervision::tell_reloading();
  const Status reloaded = reload();
  cycle_->show_reload(reloaded.has_value());
  if (reloaded) {
    spdlog::info("config reloaded");
  } else {
    spdlog::error("config not reloaded, the one in force stays: {}", reloaded.error().message());
  }
  service::Supervision::tell_ready(reloaded ? "serving" : "config not reloaded: " + reloaded.error().message());
}

Status Agent::reload() {
  auto document = config::load_config(options_.config_file);
  if (!document) return document.error();
  auto wanted = read(*document, parts_);
  if (!wanted) return wanted.error();
  cycle_->check_reload(*wanted->cycle, document->root());
  Settings& settings = wanted->settings;
  settings.control.check_reload(control_settings_, document->root());
  if (auto possible = document->finish(); !possible) return possible;
  if (settings.collect_interval != collect_interval_) {
    collect_interval_ = settings.collect_interval;
    if (auto timed = loop_.every(collect_interval_, [this] { tick(); }); !timed) return timed;
  }
  connections_page_->apply(settings.connections);
  cycle_->apply(std::move(settings));
  reporting_->apply(std::move(wanted->reporting));
  return {};
}

}  // namespace connscope::runtime
