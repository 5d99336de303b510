// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/listeners.h"

#include <algorithm>
#include <cstring>

#include "agent/probe/audit.h"
#include "bpf/owners/family_maker.h"
#include "bpf/tcp/tcp_names.h"

namespace connscope::bpf {

using metrics::Counter;
using metrics::Gauge;

namespace {

constexpr const char* kAcceptQueueFull = "accept_queue_full";
constexpr const char* kSynQueueFull = "syn_queue_full";

}  // namespace

Result<Listeners::Families> Listeners::create_families(metrics::Registry& registry) {
  FamilyMaker make(registry);
  Families made;
  made.drops = make.family<Counter>("conn_tcp_listen_drops", "Connections that listeners have dropped.",
                                    {"process", "listener", "reason"});
  made.backlog =
      make.family<Gauge>("conn_tcp_listen_backlog", "Connections that wait to be accepted.", {"process", "listener"});
  made.backlog_limit =
      make.family<Gauge>("conn_tcp_listen_backlog_limit", "How many connections may wait so.", {"process", "listener"});
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Status Listeners::collect(std::string_view reports, const probe::CellMap<tcp_role_key, tcp_rare>& closed,
                          Clock::time_point now) {
  for (auto& [key, sum] : sums_) sum = {sum.netns, 0, 0, 0, 0, sum.shown_drops};
  size_ = reports.size() / sizeof(listener_report);
  for (std::size_t at = 0; at + sizeof(listener_report) <= reports.size(); at += sizeof(listener_report)) {
    listener_report report;
    std::memcpy(&report, reports.data() + at, sizeof(report));
    add(report, now);
  }
  for (const auto& [key, rare] : closed) {
    if (rare.listen_drops > 0) sums_[{key.identity, key.port}].closed_drops += rare.listen_drops;
  }
  read_shares(now);
  Status outcome = show_queues();
  for (auto& [key, sum] : sums_)
    if (auto shown = show_drops(key, sum); !shown) outcome = shown;
  return outcome;
}

void Listeners::add(const listener_report& report, Clock::time_point now) {
  const auto port = static_cast<std::uint16_t>(report.port);
  labels_.learn_listener(report.netns, port, report.address);
  labels_.touch(report.identity, now);
  Sum& sum = sums_[{report.identity, labels_.shows_listeners() ? port : std::uint16_t{0}}];
  sum.netns = report.netns;
  sum.backlog += report.backlog;
  sum.backlog_limit += report.backlog_limit;
  sum.open_drops += report.drops;
}

void Listeners::Share::rise_to(std::uint64_t now) {
  unspent += now > total ? now - total : 0;
  total = now;
}

std::uint64_t Listeners::Share::spend(std::uint64_t wanted) {
  const std::uint64_t spent = std::min(wanted, unspent);
  unspent -= spent;
  return spent;
}

void Listeners::read_shares(Clock::time_point now) {
  std::map<std::uint32_t, bool> wanted;
  for (const auto& [key, sum] : sums_)
    wanted[sum.netns] = wanted[sum.netns] || sum.open_drops + sum.closed_drops > sum.shown_drops;
  for (const auto& [netns, has_drops] : wanted) {
    const bool is_new = shares_.count(netns) == 0;
    if (netns == 0 || (!is_new && !has_drops)) continue;
    const auto netstat = netns_.read(netns, "netstat", now);
    if (!netstat) continue;  // nobody lives there whose view could be read
    const auto overflows = probe::protocol_counter(*netstat, "TcpExt", "ListenOverflows");
    const auto drops = probe::protocol_counter(*netstat, "TcpExt", "ListenDrops");
    if (!overflows || !drops) continue;
    Shares& shares = shares_[netns];
    shares.overflows.rise_to(*overflows);
    shares.others.rise_to(*drops - std::min(*drops, *overflows));
    // What happened before its listeners were looked at is not theirs, unless they have dropped something since their
    // birth.
    if (is_new && !has_drops) shares.overflows.unspent = shares.others.unspent = 0;
  }
}

Status Listeners::show_queues() {
  std::map<Gauge*, std::uint64_t> values;
  for (const auto& [key, sum] : sums_) {
    const OwnerLabels owner = labels_.owner_of(key.first);
    if (!owner.captured) continue;
    SeriesMaker make(owner);
    const std::string listener = labels_.listener_of(key.first, key.second);
    Gauge* backlog = make.series(families_.backlog, {listener});
    Gauge* limit = make.series(families_.backlog_limit, {listener});
    if (!make.outcome()) return make.outcome();
    values[backlog] += sum.backlog;
    values[limit] += sum.backlog_limit;
  }
  for (const auto& [gauge, value] : values) gauge->set(value);
  return {};
}

Status Listeners::show_drops(const Key& key, Sum& sum) {
  const std::uint64_t total = sum.open_drops + sum.closed_drops;
  const std::uint64_t news = total > sum.shown_drops ? total - sum.shown_drops : 0;
  sum.shown_drops += news;
  Shares& shares = shares_[sum.netns];
  const std::uint64_t overflowed = shares.overflows.spend(news);
  if (auto counted = count(key, kAcceptQueueFull, overflowed); !counted) return counted;
  return count(key, kSynQueueFull, shares.others.spend(news - overflowed));
}

Status Listeners::count(const Key& key, const char* reason, std::uint64_t drops) {
  const OwnerLabels owner = labels_.owner_of(key.first);
  if (!owner.captured) return {};
  SeriesMaker make(owner);
  Counter* dropped = make.series(families_.drops, {labels_.listener_of(key.first, key.second), reason});
  Counter* failures = make.failures(families_.failures, "server", "tcp", reason);
  if (!make.outcome()) return make.outcome();
  dropped->add(drops);
  failures->add(drops);
  return {};
}

void Listeners::retire(const std::vector<std::uint64_t>& identities) {
  for (auto at = sums_.begin(); at != sums_.end();)
    at = std::find(identities.begin(), identities.end(), at->first.first) == identities.end() ? std::next(at)
                                                                                              : sums_.erase(at);
}

}  // namespace connscope::bpf
