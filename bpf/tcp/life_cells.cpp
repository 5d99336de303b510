// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/life_cells.h"

#include <algorithm>
#include <unordered_map>

#include "bpf/owners/family_maker.h"
#include "bpf/tcp/tcp_names.h"

namespace connscope::bpf {

using metrics::Counter;
using metrics::Gauge;
using metrics::Histogram;

namespace {

double seconds_of(std::uint64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

/// What `total` has over `shown`, which then is the total; 0 while the total has fallen behind.
std::uint64_t rise(std::uint64_t& shown, std::uint64_t total) {
  const std::uint64_t news = total > shown ? total - shown : 0;
  shown += news;
  return news;
}

}  // namespace

Result<LifeCells::Families> LifeCells::create_families(metrics::Registry& registry) {
  FamilyMaker make(registry);
  Families made;
  made.accepts = make.family<Counter>("conn_tcp_accepts", "Connections taken by accept.", {"process", "ip_family"});
  made.handshakes = make.family<Histogram>("conn_tcp_handshake_duration_seconds",
                                           "Passive opens that were accepted, or ended before: SYN in to established.",
                                           {"process", "ip_family"});
  made.waits = make.family<Histogram>("conn_tcp_accept_wait_seconds",
                                      "Passive opens that were accepted: from established to taken by accept.",
                                      {"process", "listener"});
  made.durations = make.family<Histogram>("conn_tcp_connection_duration_seconds",
                                          "Connections that ended, by what closed them: from established to closed.",
                                          {"process", "role", "close"});
  made.open = make.family<Gauge>("conn_tcp_open_connections", "Connections that are open, and have been accepted.",
                                 {"process", "role"});
  made.received = make.family<Counter>({"conn_tcp_receive_bytes", "vh.{listener|role}.rx"}, "Payload received.",
                                       {"process", "role", "listener"}, "bytes");
  made.sent = make.family<Counter>({"conn_tcp_transmit_bytes", "vh.{listener|role}.tx"}, "Payload sent, once.",
                                   {"process", "role", "listener"}, "bytes");
  made.retransmits = make.family<Counter>("conn_tcp_retransmits", "Segments sent again.", {"process", "role"});
  made.resets = make.family<Counter>("conn_tcp_resets", "Connections that a reset ended, by its direction.",
                                     {"process", "role", "direction"});
  made.rtt = make.family<Histogram>(
      "conn_tcp_rtt_seconds", "Smoothed round-trip time: of each connection at its end, and at each collect before.",
      {"process", "role"});
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<std::unique_ptr<LifeCells::RoleSeries>> LifeCells::RoleSeries::create(const Families& families,
                                                                             const OwnerLabels& owner,
                                                                             std::uint8_t role, bool by_listener) {
  auto series = std::make_unique<RoleSeries>();
  const std::string name = kRoleNames[role];
  SeriesMaker make(owner);
  if (!by_listener) {
    make.series(families.received, {name, ""});
    make.series(families.sent, {name, ""});
    if (role == TCP_SERVER) make.series(families.waits, {""});
  }
  for (std::size_t close = 0; close < TCP_CLOSES; ++close)
    series->durations[close] = make.series(families.durations, {name, kCloseNames[close]});
  for (std::size_t failure = FAILURE_NONE + 1; failure < TCP_FAILURES; ++failure)
    series->failures[failure] = make.failures(families.failures, name, "tcp", kFailureNames[failure]);
  series->open = make.series(families.open, {name});
  series->rtt = make.series(families.rtt, {name});
  series->retransmits = make.series(families.retransmits, {name});
  series->resets = {make.series(families.resets, {name, "in"}), make.series(families.resets, {name, "out"})};
  for (std::size_t family = 0; role == TCP_SERVER && family < TCP_FAMILIES; ++family) {
    series->accepts[family] = make.series(families.accepts, {kFamilyNames[family]});
    series->handshakes[family] = make.series(families.handshakes, {kFamilyNames[family]});
  }
  if (!make.outcome()) return make.outcome().error();
  return series;
}

LifeCells::LifeCells(const Families& families, TcpLabels& labels)
    : families_(families),
      labels_(labels),
      series_{SeriesByOwner<RoleSeries>(labels), SeriesByOwner<RoleSeries>(labels)} {}

Result<LifeCells::RoleSeries*> LifeCells::series_of(std::uint64_t identity, std::uint8_t role, Clock::time_point now) {
  return series_[role].of(identity, now, [&](const OwnerLabels& owner) {
    return RoleSeries::create(families_, owner, role, labels_.shows_listeners());
  });
}

LifeCells::Ledger& LifeCells::ledger_of(std::uint64_t identity, std::uint8_t role, std::uint16_t port) {
  return ledgers_[tcp_role_key{identity, port, role, {}}];
}

void LifeCells::opened(std::uint64_t identity, std::uint64_t count) {
  ledger_of(identity, TCP_CLIENT, 0).opened += count;
}

Status LifeCells::retransmitted(std::uint64_t identity, std::uint64_t count, Clock::time_point now) {
  const auto series = series_of(identity, TCP_CLIENT, now);
  if (!series) return series.error();
  if (*series != nullptr) (*series)->retransmits->add(count);
  return {};
}

Status LifeCells::drain_closed(const probe::BpfObject& object, Clock::time_point now) {
  Status outcome;
  auto read = closed_drain_.read(object.map_fd("tcp_closed"), [&](const auto& key, const auto& sum) {
    if (auto added = add_closed(key, sum, now); !added) outcome = added;
  });
  if (!read) return read.error().context("tcp_closed");
  read = rare_drain_.read(object.map_fd("tcp_rare"), [&](const auto& key, const auto& sum) { add_rare(key, sum); });
  return read ? outcome : read.error().context("tcp_rare");
}

Status LifeCells::add_closed(const tcp_closed_key& key, const tcp_closed& sum, Clock::time_point now) {
  if (key.role >= TCP_ROLES || key.close >= TCP_CLOSES || key.failure >= TCP_FAILURES || key.bucket >= LATENCY_BUCKETS)
    return Error("tcp_closed: a cell that no program writes");
  tcp_closed& seen = closed_[key];
  if (sum.count == seen.count && sum.sum_ns == seen.sum_ns && sum.received == seen.received && sum.sent == seen.sent)
    return {};
  const auto series = series_of(key.identity, key.role, now);
  if (!series) return series.error();
  const std::uint64_t count = sum.count - seen.count;
  Ledger& ledger = ledger_of(key.identity, key.role, key.port);
  ledger.closed += count;
  ledger.by_closed.received += sum.received - seen.received;
  ledger.by_closed.sent += sum.sent - seen.sent;
  ledger.by_closed.retransmits += sum.retransmits - seen.retransmits;
  if (RoleSeries* shown = *series; shown != nullptr) {
    shown->durations[key.close]->add(key.bucket, count, seconds_of(sum.sum_ns - seen.sum_ns));
    if (key.failure != FAILURE_NONE) shown->failures[key.failure]->add(count);
    shown->resets[0]->add(std::uint64_t{sum.resets_in - seen.resets_in});
    shown->resets[1]->add(std::uint64_t{sum.resets_out - seen.resets_out});
  }
  seen = sum;
  return {};
}

void LifeCells::add_rare(const tcp_role_key& key, const tcp_rare& sum) {
  tcp_rare& seen = rare_[key];
  Ledger& ledger = ledgers_[key];
  ledger.opened += sum.taken_up - seen.taken_up;
  ledger.closed += sum.closes_lost - seen.closes_lost;
  seen = sum;
}

Status LifeCells::read_live(const probe::BpfObject& object, std::uint32_t pass) {
  for (auto& [key, ledger] : ledgers_) ledger.by_open = {};
  auto read = live_drain_.read(object.map_fd("tcp_live"), [&](const tcp_role_key& key, const tcp_live& live) {
    if (live.pass == pass) ledgers_[key].by_open = {live.received, live.sent, live.retransmits};
  });
  return read ? read : read.error().context("tcp_live");
}

Status LifeCells::drain_durations(const probe::BpfObject& object, Clock::time_point now) {
  Status outcome;
  auto read = duration_drain_.read(object.map_fd("tcp_durations"), [&](const auto& key, const auto& sum) {
    if (auto added = add_duration(key, sum, now); !added) outcome = added;
  });
  return read ? outcome : read.error().context("tcp_durations");
}

Status LifeCells::add_duration(const tcp_duration_key& key, const tcp_duration& sum, Clock::time_point now) {
  if (key.kind >= DURATION_KINDS || key.variety > 1 || key.bucket > BUCKET_UNKNOWN)
    return Error("tcp_durations: a cell that no program writes");
  tcp_duration& seen = durations_[key];
  const tcp_duration news{sum.count - seen.count, sum.sum_ns - seen.sum_ns};
  if (news.count == 0 && news.sum_ns == 0) return {};
  seen = sum;
  if (key.kind == DURATION_HANDSHAKE) ledger_of(key.identity, TCP_SERVER, key.port).opened += news.count;
  const std::uint8_t role = key.kind == DURATION_RTT ? key.variety : std::uint8_t{TCP_SERVER};
  const auto series = series_of(key.identity, role, now);
  if (!series) return series.error();
  if (*series == nullptr) return {};
  switch (key.kind) {
    case DURATION_HANDSHAKE:
      (*series)->handshakes[key.variety]->add(key.bucket, news.count, seconds_of(news.sum_ns));
      return {};
    case DURATION_ACCEPT_WAIT:
      (*series)->accepts[key.variety]->add(std::uint64_t{news.count});
      return key.bucket == BUCKET_UNKNOWN ? Status() : add_wait(key, news);
    default:
      (*series)->rtt->add(key.bucket, news.count, seconds_of(news.sum_ns));
      return {};
  }
}

Status LifeCells::add_wait(const tcp_duration_key& key, const tcp_duration& news) {
  const OwnerLabels owner = labels_.owner_of(key.identity);
  SeriesMaker make(owner);
  Histogram* waits = make.series(families_.waits, {labels_.listener_of(key.identity, key.port)});
  if (waits == nullptr) return make.outcome().error();
  waits->add(key.bucket, news.count, seconds_of(news.sum_ns));
  return {};
}

Status LifeCells::show(Clock::time_point now) {
  std::unordered_map<Gauge*, std::uint64_t> open;
  for (const auto& by_role : series_)
    for (const auto& [owner, series] : by_role.all()) open[series->open] = 0;
  for (auto& [key, ledger] : ledgers_) {
    const std::uint64_t received = ledger.by_closed.received + ledger.by_open.received;
    const std::uint64_t sent = ledger.by_closed.sent + ledger.by_open.sent;
    const std::uint64_t retransmits = ledger.by_closed.retransmits + ledger.by_open.retransmits;
    // An identity with nothing open and nothing new may become idle.
    if (ledger.open() == 0 && received <= ledger.shown.received && sent <= ledger.shown.sent &&
        retransmits <= ledger.shown.retransmits)
      continue;
    const auto series = series_of(key.identity, key.role, now);
    if (!series) return series.error();
    if (*series == nullptr) continue;
    open[(*series)->open] += ledger.open();
    if (auto shown = show_carried(key, ledger, **series); !shown) return shown;
  }
  for (const auto& [gauge, count] : open) gauge->set(count);
  return {};
}

Status LifeCells::show_carried(const tcp_role_key& key, Ledger& ledger, RoleSeries& series) {
  series.retransmits->add(rise(ledger.shown.retransmits, ledger.by_closed.retransmits + ledger.by_open.retransmits));
  const OwnerLabels owner = labels_.owner_of(key.identity);
  const std::string listener = key.role == TCP_SERVER ? labels_.listener_of(key.identity, key.port) : "";
  SeriesMaker make(owner);
  Counter* received = make.series(families_.received, {kRoleNames[key.role], listener});
  Counter* sent = make.series(families_.sent, {kRoleNames[key.role], listener});
  if (!make.outcome()) return make.outcome();
  received->add(rise(ledger.shown.received, ledger.by_closed.received + ledger.by_open.received));
  sent->add(rise(ledger.shown.sent, ledger.by_closed.sent + ledger.by_open.sent));
  return {};
}

void LifeCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(closed_, object.map_fd("tcp_closed"), identities);
  erase_cells(durations_, object.map_fd("tcp_durations"), identities);
  erase_cells(rare_, object.map_fd("tcp_rare"), identities);
  erase_cells(ledgers_, object.map_fd("tcp_live"), identities);
  for (auto& by_role : series_)
    for (const std::uint64_t identity : identities) by_role.forget(identity);
}

std::vector<probe::MapUsage> LifeCells::usage(const probe::BpfObject& object) const {
  return {{"tcp_closed", closed_drain_.entries(), object.max_entries("tcp_closed")},
          {"tcp_durations", duration_drain_.entries(), object.max_entries("tcp_durations")},
          {"tcp_rare", rare_drain_.entries(), object.max_entries("tcp_rare")},
          {"tcp_live", live_drain_.entries(), object.max_entries("tcp_live")}};
}

}  // namespace connscope::bpf
