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
    : collectors_(std::move(collectors)),
      kernel_(std::move(kernel)),
      interval_(interval),
      scrapes_({"collector"},
               {{"node_scrape_collector_duration_seconds", "How long the collector's last reading took."},
                {"node_scrape_collector_success", "1: the collector's last reading went well."}},
               "") {}

void HostMetrics::collect(Clock::time_point now, metrics::Snapshot& snapshot) {
  if (last_read_ == Clock::time_point() || now - last_read_ >= interval_) {
    last_read_ = now;
    read_all();
  }
  const auto own = static_cast<std::ptrdiff_t>(snapshot.families.size());
  for (const auto& collector : collectors_) collector->append(snapshot.families);
  take_complaints();
  scrapes_.append(snapshot.families);
  const auto begin = snapshot.families.begin();
  std::sort(begin + own, snapshot.families.end(), by_name);
  std::inplace_merge(begin, begin + own, snapshot.families.end(), by_name);
  // Two of the kernel's names may become the same when they are made legal: a scrape must not have one twice.
  snapshot.families.erase(std::unique(begin, snapshot.families.end(), same_name), snapshot.families.end());
}

void HostMetrics::read_all() {
  outcomes_.clear();
  scrapes_.begin();
  for (const auto& collector : collectors_) {
    const auto begin = Clock::now();
    const Status read = collector->collect(*kernel_);
    scrapes_.row({collector->name()});
    scrapes_.set(0, std::chrono::duration<double>(Clock::now() - begin).count());
    scrapes_.set(1, read ? 1U : 0U);
    outcomes_.push_back({collector->name(), read});
  }
  scrapes_.end();
}

/// Only now: some input shows itself to be wrong beside what the others have.
void HostMetrics::take_complaints() {
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    std::string complaint = collectors_[i]->complaint();
    if (!complaint.empty()) outcomes_[i].status = Error(std::move(complaint));
  }
}

std::vector<std::string> HostMetrics::names() const {
  std::vector<std::string> names;
  for (const auto& collector : collectors_) names.push_back(collector->name());
  return names;
}

void HostMetrics::check_reload(config::Section section) const {
  if (interval_of(section) != interval_) section.fail("interval", "cannot change while the agent runs; restart it");
}

}  // namespace connscope::host
