// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/tls_cells.h"

#include <utility>

#include "bpf/owners/family_maker.h"
#include "bpf/tls/tls_names.h"

namespace connscope::bpf {

using metrics::Counter;
using metrics::Gauge;
using metrics::Histogram;

namespace {

/// How far a counter has risen since it was read last.
__u64 rise(__u64& seen, __u64 sum) { return sum - std::exchange(seen, sum); }

}  // namespace

Result<TlsCells::Families> TlsCells::create_families(metrics::Registry& registry) {
  FamilyMaker make(registry);
  Families made;
  made.durations =
      make.family<Histogram>({"conn_tls_handshake_duration_seconds", "n.cn.tls"},
                             "TLS handshakes that ended: from the ClientHello to this side's success, or to failure.",
                             {"process", "role", "version", "outcome", "host"});
  made.handshakes = make.family<Counter>("conn_tls_handshakes", "TLS handshakes that ended, in success or failure.",
                                         {"process", "role", "version", "cipher", "library", "resumed", "host"});
  made.in_flight =
      make.family<Gauge>("conn_tls_handshakes_in_flight", "TLS handshakes begun and not ended.", {"process", "role"});
  made.alerts = make.family<Counter>("conn_tls_alerts", "TLS alerts in plain text.", {"process", "direction", "alert"});
  made.failures = make.failures();
  if (!make.outcome()) return make.outcome().error();
  return made;
}

Result<TlsCells::Party*> TlsCells::party_of(std::uint64_t identity, Clock::time_point now) {
  return parties_.of(identity, now, [](const OwnerLabels& owner) -> Result<std::unique_ptr<Party>> {
    auto party = std::make_unique<Party>();
    party->owner = owner;
    return party;
  });
}

Result<TlsCells::Part*> TlsCells::part_of(Party& party, std::uint8_t role) {
  std::unique_ptr<Part>& known = party.parts[role];
  if (known) return known.get();
  auto made = std::make_unique<Part>();
  SeriesMaker make(party.owner);
  for (std::uint8_t reason = TLS_OK + 1; reason < TLS_REASONS; ++reason)
    made->failures[{reason, 0}] =
        make.failures(families_.failures, tls_role_name(role), "tls", tls_reason_name(reason));
  made->in_flight = make.series(families_.in_flight, {tls_role_name(role)});
  if (!make.outcome()) return make.outcome().error();
  known = std::move(made);
  return known.get();
}

Result<TlsCells::Part*> TlsCells::part_of(std::uint64_t identity, std::uint8_t role, Clock::time_point now) {
  const auto party = party_of(identity, now);
  if (!party) return party.error();
  if (*party == nullptr) return static_cast<Part*>(nullptr);
  return part_of(**party, role);
}

Result<Histogram*> TlsCells::duration_of(const Party& party, Part& part, const tls_ended_key& key) {
  Histogram*& series = part.durations[{key.version, key.is_failed, key.host}];
  if (series != nullptr) return series;
  SeriesMaker make(party.owner);
  series = make.series(families_.durations, {tls_role_name(key.role), tls_version_name(key.version),
                                             key.is_failed != 0 ? "fail" : "ok", labels_.host(key.host)});
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Result<Counter*> TlsCells::handshakes_of(const Party& party, Part& part, const tls_ended_key& key) {
  Counter*& series = part.handshakes[{key.version, key.cipher, key.library, key.is_resumed, key.host}];
  if (series != nullptr) return series;
  SeriesMaker make(party.owner);
  series = make.series(families_.handshakes,
                       {tls_role_name(key.role), tls_version_name(key.version), labels_.cipher(key.cipher),
                        tls_library_name(key.library), key.is_resumed != 0 ? "yes" : "no", labels_.host(key.host)});
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Result<Counter*> TlsCells::failures_of(const Party& party, Part& part, const tls_failed_key& key) {
  Counter*& series = part.failures[{key.reason, key.host}];
  if (series != nullptr) return series;
  SeriesMaker make(party.owner);
  series = make.failures(families_.failures, tls_role_name(key.role), "tls", tls_reason_name(key.reason),
                         labels_.host(key.host));
  if (!make.outcome()) return make.outcome().error();
  return series;
}

Status TlsCells::collect(const probe::BpfObject& object, Clock::time_point now) {
  Status outcome;
  const auto read = [&](auto& drain, const char* map, auto add) {
    auto done = drain.read(object.map_fd(map), [&](const auto& key, const auto& sum) {
      if (auto added = (this->*add)(key, sum, now); !added) outcome = added;
    });
    if (!done) outcome = done.error().context(map);
  };
  read(ended_drain_, "tls_ended", &TlsCells::add_ended);
  read(failed_drain_, "tls_failed", &TlsCells::add_failed);
  read(alert_drain_, "tls_alerts", &TlsCells::add_alert);
  read(begun_drain_, "tls_begun", &TlsCells::add_begun);
  if (auto shown = show_in_flight(now); !shown) outcome = shown;
  return outcome;
}

Status TlsCells::add_ended(const tls_ended_key& key, const tls_ended& sum, Clock::time_point now) {
  tls_ended& seen = ended_[key];
  const tls_ended news{rise(seen.count, sum.count), rise(seen.sum_ns, sum.sum_ns)};
  if (news.count == 0 && news.sum_ns == 0) return {};
  if (key.role >= TLS_ROLES || key.bucket >= LATENCY_BUCKETS) return Error("tls_ended: a cell that no program writes");
  in_flight_[key.identity][key.role] -= static_cast<std::int64_t>(news.count);
  const auto party = party_of(key.identity, now);
  if (!party) return party.error();
  if (*party == nullptr) return {};
  const auto part = part_of(**party, key.role);
  if (!part) return part.error();
  const auto durations = duration_of(**party, **part, key);
  if (!durations) return durations.error();
  const auto handshakes = handshakes_of(**party, **part, key);
  if (!handshakes) return handshakes.error();
  (*durations)->add(key.bucket, news.count, static_cast<double>(news.sum_ns) / kNsPerSecond);
  (*handshakes)->add(std::uint64_t{news.count});
  return {};
}

Status TlsCells::add_begun(const tls_begun_key& key, const tls_begun& sum, Clock::time_point now) {
  tls_begun& seen = begun_[key];
  const tls_begun news{rise(seen.handshakes, sum.handshakes), rise(seen.ends_lost, sum.ends_lost)};
  if (news.handshakes == 0 && news.ends_lost == 0) return {};
  if (key.role >= TLS_ROLES) return Error("tls_begun: a cell that no program writes");
  in_flight_[key.identity][key.role] +=
      static_cast<std::int64_t>(news.handshakes) - static_cast<std::int64_t>(news.ends_lost);
  const auto part = part_of(key.identity, static_cast<std::uint8_t>(key.role), now);
  return part ? Status() : part.error();
}

Status TlsCells::add_failed(const tls_failed_key& key, const tls_count& sum, Clock::time_point now) {
  const std::uint64_t news = rise(failed_[key].count, sum.count);
  if (news == 0) return {};
  if (key.role >= TLS_ROLES || key.reason == TLS_OK || key.reason >= TLS_REASONS)
    return Error("tls_failed: a cell that no program writes");
  const auto party = party_of(key.identity, now);
  if (!party) return party.error();
  if (*party == nullptr) return {};
  const auto part = part_of(**party, key.role);
  if (!part) return part.error();
  const auto failures = failures_of(**party, **part, key);
  if (!failures) return failures.error();
  (*failures)->add(std::uint64_t{news});
  return {};
}

Status TlsCells::add_alert(const tls_alert_key& key, const tls_count& sum, Clock::time_point now) {
  const std::uint64_t news = rise(alerts_[key].count, sum.count);
  if (news == 0) return {};
  if (key.direction >= TLS_DIRECTIONS) return Error("tls_alerts: a cell that no program writes");
  const auto party = party_of(key.identity, now);
  if (!party) return party.error();
  if (*party == nullptr) return {};
  Counter*& series = (*party)->alerts[{key.direction, key.alert}];
  if (series == nullptr) {
    SeriesMaker make((*party)->owner);
    series = make.series(families_.alerts, {tls_direction_name(key.direction), labels_.alert(key.alert)});
    if (!make.outcome()) return make.outcome().error();
  }
  series->add(std::uint64_t{news});
  return {};
}

Status TlsCells::show_in_flight(Clock::time_point now) {
  std::unordered_map<Gauge*, std::int64_t> counts;
  for (const auto& [owner, party] : parties_.all())
    for (const auto& part : party->parts)
      if (part) counts[part->in_flight] = 0;
  for (const auto& [identity, by_role] : in_flight_) {
    for (std::size_t role = 0; role < TLS_ROLES; ++role) {
      if (by_role[role] <= 0) continue;
      // Keeps the identity from being retired, and follows changed rules.
      const auto part = part_of(identity, static_cast<std::uint8_t>(role), now);
      if (!part) return part.error();
      if (*part != nullptr) counts[(*part)->in_flight] += by_role[role];
    }
  }
  for (const auto& [gauge, count] : counts) gauge->set(static_cast<std::uint64_t>(count));
  return {};
}

void TlsCells::retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities) {
  erase_cells(ended_, object.map_fd("tls_ended"), identities);
  erase_cells(begun_, object.map_fd("tls_begun"), identities);
  erase_cells(failed_, object.map_fd("tls_failed"), identities);
  erase_cells(alerts_, object.map_fd("tls_alerts"), identities);
  for (const std::uint64_t identity : identities) {
    in_flight_.erase(identity);
    parties_.forget(identity);
  }
}

std::vector<probe::MapUsage> TlsCells::usage(const probe::BpfObject& object) const {
  return {{"tls_begun", begun_drain_.entries(), object.max_entries("tls_begun")},
          {"tls_ended", ended_drain_.entries(), object.max_entries("tls_ended")},
          {"tls_failed", failed_drain_.entries(), object.max_entries("tls_failed")},
          {"tls_alerts", alert_drain_.entries(), object.max_entries("tls_alerts")}};
}

}  // namespace connscope::bpf
