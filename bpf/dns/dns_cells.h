// SPDX-License-Identifier: Apache-2.0
//
// DnsCells: the families of queries and answers, fed from the cells of dns_query.h. Owned by the probe; the collecting thread
// only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/dns/dns_labels.h"
#include "bpf/dns/dns_query.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

class DnsCells {
 public:
  struct Families {
    metrics::Family<metrics::Counter>* queries = nullptr;
    metrics::Family<metrics::Gauge>* in_flight = nullptr;
    metrics::Family<metrics::Histogram>* durations = nullptr;
    metrics::Family<metrics::Counter>* responses = nullptr;
    metrics::Family<metrics::Counter>* retries = nullptr;
    metrics::Family<metrics::Counter>* truncated = nullptr;
    metrics::Family<metrics::Counter>* late = nullptr;
    metrics::Family<metrics::Counter>* strays = nullptr;
    metrics::Family<metrics::Histogram>* served = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  DnsCells(const Families& families, Owners& owners, DnsLabels& labels)
      : families_(families), labels_(labels), clients_(owners), servers_(owners) {}

  /// Ends before begins: whatever has ended had begun before, so no scrape can show more ends than begins.
  Status collect(const probe::BpfObject& object, Clock::time_point now);
  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  /// How many queries were begun, by identity.
  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> queries() const;
  [[nodiscard]] std::vector<probe::MapUsage> usage(const probe::BpfObject& object) const;

 private:
  /// Values of labels that a series has beside its owner's, as numbers.
  using Kind = std::tuple<std::uint8_t, std::uint16_t, std::uint32_t>;    // transport, type, server
  using Answer = std::tuple<std::uint16_t, std::uint16_t, std::uint32_t>; // RCODE, type, server

  struct OfKind {
    metrics::Counter* queries = nullptr;
    std::array<metrics::Histogram*, 2> durations{};  // [failed]
  };
  /// The series of one owner that asks. What is of a small set exists from the first on, at zero.
  struct Client {
    OwnerLabels owner;
    std::map<Kind, OfKind> kinds;
    std::map<Answer, metrics::Counter*> responses;
    std::map<std::string, metrics::Counter*> failures;  // by reason
    std::array<metrics::Counter*, DNS_STRAYS> strays{};
    metrics::Counter* retries = nullptr;
    metrics::Counter* truncated = nullptr;
    metrics::Counter* late = nullptr;
    metrics::Gauge* in_flight = nullptr;

    static Result<std::unique_ptr<Client>> create(const Families& families, const OwnerLabels& owner);
  };
  /// Of one that answers.
  struct Server {
    OwnerLabels owner;
    std::map<std::uint16_t, metrics::Histogram*> durations;  // by RCODE
  };

  Result<Client*> client_of(std::uint64_t identity, Clock::time_point now);
  Result<OfKind*> kind_of(Client& client, const Kind& kind);
  Result<metrics::Counter*> response_of(Client& client, const Answer& answer);
  Status add_ended(const dns_ended_key& key, const dns_ended& sum, Clock::time_point now);
  Status add_begun(const dns_begun_key& key, const dns_begun& sum, Clock::time_point now);
  Status add_rare(const dns_rare_key& key, const dns_rare& sum, Clock::time_point now);
  Status add_served(const dns_served_key& key, const dns_ended& sum, Clock::time_point now);
  Status show_in_flight(Clock::time_point now);

  Families families_;
  DnsLabels& labels_;
  SeriesByOwner<Client> clients_;
  SeriesByOwner<Server> servers_;
  probe::MapDrain<dns_ended_key, dns_ended> ended_drain_;
  probe::MapDrain<dns_begun_key, dns_begun> begun_drain_;
  probe::MapDrain<dns_rare_key, dns_rare> rare_drain_;
  probe::MapDrain<dns_served_key, dns_ended> served_drain_;
  probe::CellMap<dns_ended_key, dns_ended> ended_;
  probe::CellMap<dns_begun_key, dns_begun> begun_;
  probe::CellMap<dns_rare_key, dns_rare> rare_;
  probe::CellMap<dns_served_key, dns_ended> served_;
  std::unordered_map<std::uint64_t, std::int64_t> in_flight_;  // by identity
};

}  // namespace connscope::bpf
