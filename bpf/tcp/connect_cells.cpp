// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/connect_cells.h"

#include <bpf/bpf.h>

#include "bpf/owners/family_maker.h"
#include "bpf/tcp/tcp_names.h"

namespace connscope::bpf {

using metrics::Counter;
using metrics::Gauge;
using metrics::Histogram;

Result<ConnectCells::Families> ConnectCells::create_families(metrics::Registry& registry) {
  FamilyMaker make(registry);
  Families made;
  made.duration = make.family<Histogram>({"conn_tcp_connect_duration_seconds", "n.cn.tcp"},
                                         "Active opens that ended: from the first SYN to established, or to failure.",
                                         {"process", "ip_family", "outcome"});
  made.connects = make.family<Counter>("conn_tcp_connects", "Active opens that were begun.", {"process", "ip_family"});
  made.in_flight = make.family<Gauge>("conn_tcp_connects_in_flight", "Active opens begun and not ended.", {"process"});
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<std::unique_ptr<ConnectCells::Series>> ConnectCells::Series::create(const Families& families,
                                                                           const OwnerLabels& owner) {
  auto series = std::make_unique<Series>();
  SeriesMaker make(owner);
  for (std::size_t family = 0; family < TCP_FAMILIES; ++family) {
    series->connects[family] = make.series(families.connects, {kFamilyNames[family]});
    series->durations[family] = {make.series(families.duration, {kFamilyNames[family], "ok"}),
                                 make.series(families.duration, {kFamilyNames[family], "fail"})};
  }
  for (std::size_t outcome = CONNECT_OK + 1; outcome < CONNECT_OUTCOMES; ++outcome)
    series->failures[outcome] = make.failures(families.failures, "client", "tcp", kOutcomeNames[outcome]);
  series->in_flight = make.series(families.in_flight, {});
  if (!make.outcome()) return make.outcome().error();
  return series;
}

std::uint64_t ConnectCells::PerFamily::in_flight() const {
  const std::uint64_t gone = ended + begun.ends_lost;
  return begun.attempts > gone ? begun.attempts - gone : 0;
}

Result<ConnectCells::Series*> ConnectCells::series_of(std::uint64_t identity, Clock::time_point now) {
  return series_.of(identity, now, [this](const OwnerLabels& owner) { return Series::create(families_, owner); });
}

Status ConnectCells::collect(const probe::BpfObject& object, const Opened& opened, const Retransmitted& retransmitted,
                             Clock::time_point now) {
  Status outcome;
  const auto keep = [&outcome](const Status& added) {
    if (!added) outcome = added;
  };
  auto read = ended_drain_.read(object.map_fd("connect_ended"), [&](const auto& key, const auto& sum) {
    keep(add_ended(key, sum, opened, retransmitted, now));
  });
  if (!read) return read.error().context("connect_ended");
  read = begun_drain_.read(object.map_fd("connect_begun"),
                           [&](const auto& key, const auto& sum) { keep(add_begun(key, sum, now)); });
  if (!read) return read.error().context("connect_begun");
  keep(show_in_flight(now));
  return outcome;
}

Status ConnectCells::add_ended(const connect_ended_key& key, const connect_ended& sum, const Opened& opened,
                               const Retransmitted& retransmitted, Clock::time_point now) {
  connect_ended& seen = ended_[key];
  const connect_ended news{sum.count - seen.count, sum.sum_ns - seen.sum_ns, sum.retransmits - seen.retransmits};
  if (news.count == 0 && news.sum_ns == 0 && news.retransmits == 0) return {};
  seen = sum;
  if (key.family >= TCP_FAMILIES || key.outcome >= CONNECT_OUTCOMES || key.bucket >= LATENCY_BUCKETS)
    return Error("connect_ended: a cell that no program writes");
  states_[key.identity][key.family].ended += news.count;
  const bool failed = key.outcome != CONNECT_OK;
  if (!failed) opened(key.identity, news.count);
  if (news.retransmits > 0)
    if (auto told = retransmitted(key.identity, news.retransmits); !told) return told;
  auto series = series_of(key.identity, now);
  if (!series) return series.error();
  if (*series == nullptr) return {};
  (*series)->durations[key.family][failed ? 1 : 0]->add(key.bucket, news.count,
                                                        static_cast<double>(news.sum_ns) / kNsPerSecond);
  if (failed) (*series)->failures[key.outcome]->add(std::uint64_t{news.count});
  return {};
}

Status ConnectCells::add_begun(const connect_begun_key& key, const connect_begun& sum, Clock::time_point now) {
  if (key.family >= TCP_FAMILIES) return Error("connect_begun: a cell that no program writes");
  connect_begun& seen = states_[key.identity][key.family].begun;
  if (seen.attempts == sum.attempts && seen.ends_lost == sum.ends_lost) return {};
  auto series = series_of(key.identity, now);
  if (!series) return series.error();
  if (*series != nullptr) (*series)->connects[key.family]->add(std::uint64_t{sum.attempts - seen.attempts});
  seen = sum;
  return {};
}

Status ConnectCells::show_in_flight(Clock::time_point now) {
  std::unordered_map<Gauge*, std::uint64_t> counts;
  for (const auto& [owner, series] : series_.all()) counts[series->in_flight] = 0;
  for (const auto& [identity, families] : states_) {
    std::uint64_t count = 0;
    for (const auto& family : families) count += family.in_flight();
    if (count == 0) continue;
    const auto series = series_of(identity, now);  // keeps the identity from being retired, and follows changed rules
    if (!series) return series.error();
    if (*series != nullptr) counts[(*series)->in_flight] += count;
  }
  for (const auto& [gauge, count] : counts) gauge->set(count);
  return {};
}

void ConnectCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(ended_, object.map_fd("connect_ended"), identities);
  for (const std::uint64_t identity : identities) {
    for (std::uint64_t family = 0; family < TCP_FAMILIES; ++family) {
      const connect_begun_key key{identity, family};
      bpf_map_delete_elem(object.map_fd("connect_begun"), &key);
    }
    states_.erase(identity);
    series_.forget(identity);
  }
}

std::vector<probe::MapUsage> ConnectCells::usage(const probe::BpfObject& object) const {
  return {{"connect_begun", begun_drain_.entries(), object.max_entries("connect_begun")},
          {"connect_ended", ended_drain_.entries(), object.max_entries("connect_ended")}};
}

}  // namespace connscope::bpf
