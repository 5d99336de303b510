// SPDX-License-Identifier: Apache-2.0
//
// TlsCells: the families of TLS handshakes, fed from the cells of tls.h. Owned by the probe; the collecting thread
// only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/owners/owners.h"
#include "bpf/tls/tls.h"
#include "bpf/tls/tls_labels.h"

namespace connscope::bpf {

class TlsCells {
 public:
  struct Families {
    metrics::Family<metrics::Histogram>* durations = nullptr;
    metrics::Family<metrics::Counter>* handshakes = nullptr;
    metrics::Family<metrics::Gauge>* in_flight = nullptr;
    metrics::Family<metrics::Counter>* alerts = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  TlsCells(const Families& families, Owners& owners, TlsLabels& labels)
      : families_(families), labels_(labels), parties_(owners) {}

  /// Ends before their reasons and begins, which were counted before: no scrape shows an end that lacks either.
  Status collect(const probe::BpfObject& object, Clock::time_point now);
  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::vector<probe::MapUsage> usage(const probe::BpfObject& object) const;

 private:
  /// Values of labels that a series has beside its owner's and its role, as numbers.
  using Timed = std::tuple<std::uint8_t, std::uint8_t, std::uint32_t>;  // version, failed, host
  using Kind =
      std::tuple<std::uint8_t, std::uint16_t, std::uint8_t, std::uint8_t, std::uint32_t>;  // version, cipher,
                                                                                           // library, resumed, host
  using Failure = std::tuple<std::uint8_t, std::uint32_t>;                                 // reason, host
  using Alert = std::tuple<std::uint8_t, std::uint8_t>;                                    // direction, alert

  /// What one owner does in one role.
  struct Part {
    std::map<Timed, metrics::Histogram*> durations;
    std::map<Kind, metrics::Counter*> handshakes;
    std::map<Failure, metrics::Counter*> failures;
    metrics::Gauge* in_flight = nullptr;
  };
  /// The series of one owner. What is of a small set exists from the first handshake of its role on, at zero.
  struct Party {
    OwnerLabels owner;
    std::array<std::unique_ptr<Part>, TLS_ROLES> parts;
    std::map<Alert, metrics::Counter*> alerts;
  };

  Result<Party*> party_of(std::uint64_t identity, Clock::time_point now);
  Result<Part*> part_of(Party& party, std::uint8_t role);
  /// nullptr: a rule excludes the process.
  Result<Part*> part_of(std::uint64_t identity, std::uint8_t role, Clock::time_point now);
  Result<metrics::Histogram*> duration_of(const Party& party, Part& part, const tls_ended_key& key);
  Result<metrics::Counter*> handshakes_of(const Party& party, Part& part, const tls_ended_key& key);
  Result<metrics::Counter*> failures_of(const Party& party, Part& part, const tls_failed_key& key);
  Status add_ended(const tls_ended_key& key, const tls_ended& sum, Clock::time_point now);
  Status add_begun(const tls_begun_key& key, const tls_begun& sum, Clock::time_point now);
  Status add_failed(const tls_failed_key& key, const tls_count& sum, Clock::time_point now);
  Status add_alert(const tls_alert_key& key, const tls_count& sum, Clock::time_point now);
  Status show_in_flight(Clock::time_point now);

  Families families_;
  TlsLabels& labels_;
  SeriesByOwner<Party> parties_;
  probe::MapDrain<tls_ended_key, tls_ended> ended_drain_;
  probe::MapDrain<tls_begun_key, tls_begun> begun_drain_;
  probe::MapDrain<tls_failed_key, tls_count> failed_drain_;
  probe::MapDrain<tls_alert_key, tls_count> alert_drain_;
  probe::CellMap<tls_ended_key, tls_ended> ended_;
  probe::CellMap<tls_begun_key, tls_begun> begun_;
  probe::CellMap<tls_failed_key, tls_count> failed_;
  probe::CellMap<tls_alert_key, tls_count> alerts_;
  std::unordered_map<std::uint64_t, std::array<std::int64_t, TLS_ROLES>> in_flight_;  // by identity
};

}  // namespace connscope::bpf
