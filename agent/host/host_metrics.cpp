// SPDX-License-Identifier: Apache-2.0
#include "agent/host/host_metrics.h"

#include <algorithm>

#include "agent/host/catalog.h"
#include "agent/host/live_kernel.h"

namespace connscope::host {
namespace {

using std::chrono::milliseconds;

constexpr auto kLongestInterval = std::chrono::hours(1);

bool by_name(const metrics::FamilySnapshot& a, const metrics::FamilySnapshot& b) {
  return a.descriptor->name < b.descriptor->name;
}

bool is_wanted(const FlagValues& flags, const std::string& name) {
  return flags.is_on(name) && (flags.is_given(name) || !flags.is_on("collector.disable-defaults"));
}

bool same_name(const metrics::FamilySnapshot& a, const metrics::FamilySnapshot& b) {
  return a.descriptor->name == b.descriptor->name;
}

Result<std::vector<std::unique_ptr<Collector>>> make_collectors(const FlagValues& flags) {
  std::vector<std::unique_ptr<Collector>> collectors;
  for (const CollectorType* type : collector_types()) {
    if (!is_wanted(flags, std::string("collector.") + type->name)) continue;
    auto collector = type->make(flags);
    if (!collector) return collector.error();
    collectors.push_back(std::move(*collector));
  }
  return collectors;
}

milliseconds interval_of(config::Section section) {
  return section.duration("interval", milliseconds(0), milliseconds(0), kLongestInterval);
}

}  // namespace

Result<std::unique_ptr<HostMetrics>> HostMetrics::create(config::Section section, const GivenFlags& given) {
  const FlagValues flags(all_flags(), given);
  auto collectors = make_collectors(flags);
  if (!collectors) return collectors.error();
  auto kernel = std::make_unique<LiveKernel>(Roots{flags.text("path.procfs"), flags.text("path.sysfs"),
                                                   flags.text("path.rootfs"), flags.text("path.udev.data")});
  return std::make_unique<HostMetrics>(std::move(*collectors), std::move(kernel), interval_of(section));
}

HostMetrics::HostMetrics(std::vector<std::unique_ptr<Collector>> collectors, std::unique_ptr<Kernel> kernel,
                         milliseconds interval)
    : kernel_(std::move(kernel)),
      interval_(interval),
      scrapes_({"collector"},
               {{"node_scrape_collector_duration_seconds", "How long the collector's last reading took."},
                {"node_scrape_collector_success", "1: the collector's last reading went well."}},
               "") {
  for (auto& collector : collectors) {
    outcomes_.push_back({collector->name(), {}});
    members_.push_back({std::move(collector)});
  }
}

void HostMetrics::collect(Clock::time_point now, metrics::Snapshot& snapshot, const std::set<std::string>& asked) {
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (is_due(members_[i], now, asked)) outcomes_[i].status = read(members_[i], now);
  show_readings();
  const auto own = static_cast<std::ptrdiff_t>(snapshot.families.size());
  for (const Member& member : members_) member.collector->append(snapshot.families);
  take_complaints();
  scrapes_.append(snapshot.families);
  const auto begin = snapshot.families.begin();
  std::sort(begin + own, snapshot.families.end(), by_name);
  std::inplace_merge(begin, begin + own, snapshot.families.end(), by_name);
  // Two of the kernel's names may become the same when they are made legal: a scrape must not have one twice.
  snapshot.families.erase(std::unique(begin, snapshot.families.end(), same_name), snapshot.families.end());
}

/// One that was never read has no outcome, which every snapshot is to have of all.
bool HostMetrics::is_due(const Member& member, Clock::time_point now, const std::set<std::string>& asked) const {
  if (!member.read_at) return true;
  return now - *member.read_at >= interval_ && (asked.empty() || asked.count(member.collector->name()) != 0);
}

Status HostMetrics::read(Member& member, Clock::time_point now) {
  member.read_at = now;
  const auto begin = Clock::now();
  Status outcome = member.collector->collect(*kernel_);
  member.duration = Clock::now() - begin;
  member.success = outcome.has_value();
  return outcome;
}

void HostMetrics::show_readings() {
  scrapes_.begin();
  for (const Member& member : members_) {
    scrapes_.row({member.collector->name()});
    scrapes_.set(0, std::chrono::duration<double>(member.duration).count());
    scrapes_.set(1, member.success ? 1U : 0U);
  }
  scrapes_.end();
}

/// Only now: some input shows itself to be wrong beside what the others have.
void HostMetrics::take_complaints() {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    std::string complaint = members_[i].collector->complaint();
    if (!complaint.empty()) outcomes_[i].status = Error(std::move(complaint));
  }
}

std::vector<std::string> HostMetrics::names() const {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.collector->name());
  return names;
}

void HostMetrics::check_reload(config::Section section) const {
  if (interval_of(section) != interval_) section.fail("interval", "cannot change while the agent runs; restart it");
}

}  // namespace connscope::host
