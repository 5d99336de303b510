// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/collect_cycle.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace connscope::runtime {

CollectCycle::CollectCycle(Settings settings, std::unique_ptr<probe::IdentityProbe> identity_probe)
    : registry_(metrics::RegistryLimits{settings.series, std::chrono::system_clock::now}),
      identity_probe_(std::move(identity_probe)),
      identities_(*identity_probe_, std::move(settings.rules), settings.identity_limits) {
  exemplars_.apply(settings.exemplars);
}

Result<std::unique_ptr<CollectCycle>> CollectCycle::create(Settings settings, config::Section root,
                                                           std::unique_ptr<probe::IdentityProbe> identity_probe,
                                                           const ProbesFactory& make_probes,
                                                           const std::string& version) {
  std::unique_ptr<CollectCycle> cycle(new CollectCycle(std::move(settings), std::move(identity_probe)));
  auto self = SelfMetrics::create(cycle->registry_, version);
  if (!self) return self.error();
  cycle->self_ = std::make_unique<SelfMetrics>(std::move(*self));
  auto probes =
      make_probes({cycle->registry_, cycle->identities_, cycle->connections_, cycle->libraries_}, root.table("probe"));
  if (!probes) return probes.error();
  cycle->probes_ = std::move(*probes);
  auto ingest = ingest::Ingest::create(root.table("ingest"), cycle->registry_, cycle->identities_);
  if (!ingest) return ingest.error();
  cycle->ingest_ = std::move(*ingest);
  return cycle;
}

void CollectCycle::start() {
  start_one(*identity_probe_, {});
  const bool has_identities = off_.count(std::string(identity_probe_->name())) == 0;
  if (has_identities) note("identities", identities_.publish());
  probe::SharedMaps shared = has_identities ? identity_probe_->shared_maps() : probe::SharedMaps{};
  for (const auto& probe : probes_) {
    if (has_identities) {
      start_one(*probe, shared);
      shared.merge(probe->shared_maps());
    } else {
      off_[std::string(probe->name())] = "the identity probe, which it needs, is off";
    }
  }
  if (auto started = ingest_->start(); !started)
    spdlog::error("metrics of applications are not received: {}", started.error().message());
  self_->show_reload(true, std::chrono::system_clock::now());
}

void CollectCycle::start_one(probe::Probe& probe, const probe::SharedMaps& shared) {
  if (auto started = probe.start(shared); !started) {
    off_[std::string(probe.name())] = started.error().message();
    spdlog::error("probe {} is off: {}", probe.name(), started.error().message());
    return;
  }
  const auto hooks = probe.report().hooks;
  for (const auto& hook : hooks)
    if (hook.problem.empty()) spdlog::debug("probe {}: {} attached", probe.name(), hook.hook);
  tell_problems(std::string(probe.name()), hooks);
}

/// Tells each problem once while it lasts: hooks come and go with what they hang on.
void CollectCycle::tell_problems(const std::string& name, const std::vector<probe::HookStatus>& hooks) {
  const bool has_variant = std::any_of(hooks.begin(), hooks.end(), [](const probe::HookStatus& hook) {
    return !hook.variant.empty() && hook.problem.empty();
  });
  std::set<std::pair<std::string, std::string>> problems;
  for (const auto& hook : hooks) {
    if (hook.problem.empty()) continue;
    problems.emplace(hook.hook, hook.problem);
    if (told_[name].count({hook.hook, hook.problem}) != 0) continue;
    if (has_variant && !hook.variant.empty()) {
      spdlog::debug("probe {}: {} is done without: {}", name, hook.hook, hook.problem);
    } else {
      spdlog::warn("probe {} goes without {}: {}", name, hook.hook, hook.problem);
    }
  }
  told_[name] = std::move(problems);
}

void CollectCycle::run(Clock::time_point now) {
  const auto round = exchange_.begin();
  take_news();
  self_->forget_hooks();
  collect_one(*identity_probe_, now);
  for (const auto& probe : probes_) collect_one(*probe, now);
  collect_applications(now);
  retire(now);
  self_->show_limits(identities_);
  if (identity_probe_->report().up) note("excluded", self_->show_left_out(identities_.left_out(), filtered_));
  note("process", self_->show_process());
  const auto snapshot = registry_.snapshot();
  exemplars_.attach(*snapshot);
  collect_host(now, *snapshot);
  exchange_.publish(snapshot, round);
}

void CollectCycle::run_host(Clock::time_point now) {
  const auto round = host_exchange_.begin();
  const auto snapshot = registry_.outline();
  collect_host(now, *snapshot, round.about);
  host_exchange_.publish(snapshot, round);
}

void CollectCycle::collect_host(Clock::time_point now, metrics::Snapshot& snapshot,
                                const std::set<std::string>& asked) {
  if (!host_) return;
  host_->collect(now, snapshot, asked);
  for (const auto& outcome : host_->outcomes()) note("collector " + outcome.collector, outcome.status);
}

std::vector<std::string> CollectCycle::collectors() const {
  return host_ ? host_->names() : std::vector<std::string>();
}

void CollectCycle::collect_one(probe::Probe& probe, Clock::time_point now) {
  const auto begin = Clock::now();
  const Status outcome = probe.collect(now);
  const std::string name(probe.name());
  self_->show_collect(name, Clock::now() - begin, outcome.has_value());
  note(name, outcome);
  const auto off = off_.find(name);
  const probe::ProbeReport report = probe.report();
  self_->show_probe(name, report, off == off_.end() ? "" : off->second);
  tell_problems(name, report.hooks);
}

void CollectCycle::collect_applications(Clock::time_point now) {
  ingest_->collect(now);
  for (const auto& message : ingest_->take_messages()) spdlog::warn("{}", message);
}

void CollectCycle::retire(Clock::time_point now) {
  auto retired = identities_.retire_idle(now);
  note("identities", retired ? Status() : Status(retired.error()));
  if (!retired || retired->empty()) return;
  for (const auto& probe : probes_) probe->retire(*retired);
}

void CollectCycle::take_news() {
  if (news_fd() < 0) return;
  for (const std::uint64_t id : identity_probe_->take_news()) identities_.label_of(id);
}

Status CollectCycle::follow_new_programs(EventLoop& loop) {
  if (identity_probe_->execs_fd() < 0 || libraries_.is_empty()) return {};
  auto started = NewPrograms::start(*identity_probe_, libraries_, loop);
  if (!started) return started.error();
  new_programs_ = std::move(*started);
  return {};
}

void CollectCycle::note(const std::string& part, const Status& outcome) {
  problems_.note(part, outcome ? "" : outcome.error().message(), Severity::kError);
}

std::set<std::string> CollectCycle::probe_names() const {
  std::set<std::string> names;
  for (const auto& probe : probes_) names.emplace(probe->name());
  return names;
}

void CollectCycle::check_reload(const CollectCycle& wanted, config::Section root) const {
  if (host_) host_->check_reload(root.table("host"));
  const config::Section sections = root.table("probe");
  for (const auto& probe : probes_) probe->check_reload(sections.table(probe->name()));
  ingest_->check_reload(root.table("ingest"));
  const auto running = probe_names();
  const auto chosen = wanted.probe_names();
  std::vector<std::string> changed;
  std::set_symmetric_difference(running.begin(), running.end(), chosen.begin(), chosen.end(),
                                std::back_inserter(changed));
  for (const auto& name : changed)
    sections.table(name).fail("enabled", "cannot change while the agent runs; restart it");
}

void CollectCycle::apply(Settings settings) {
  registry_.set_series_limit(settings.series);
  exemplars_.apply(settings.exemplars);
  note("identities", identities_.set_rules(std::move(settings.rules), settings.identity_limits));
  ingest_->follow_rules();
}

void CollectCycle::show_reload(bool success) { self_->show_reload(success, std::chrono::system_clock::now()); }

}  // namespace connscope::runtime
