// SPDX-License-Identifier: Apache-2.0
//
// CertificateCells: the families of the certificates that peers have shown, fed from the map `certificates` and the
// records of `certificate_news`. Owned by the probe; the collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/owners/owners.h"
#include "bpf/tls/certificate.h"
#include "bpf/tls/certificate_facts.h"

namespace connscope::bpf {

class CertificateCells {
 public:
  struct Families {
    metrics::Family<metrics::GaugeHistogram>* expiry = nullptr;
    metrics::Family<metrics::Gauge>* peers = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  CertificateCells(const Families& families, Owners& owners, std::size_t issuers)
      : families_(families), owners_(owners), expiries_(owners), issuers_(issuers) {}

  /// First which there are, and then what is told of them: one that is not was sent in vain.
  Status read(const probe::BpfObject& object);
  void learn(const certificate_record& record);
  /// And then `seconds`, the time of day since 1970, says what they have left. One that was sent in vain is deleted in
  /// the kernel's map, so that it is sent again.
  Status show(const probe::BpfObject& object, std::int64_t seconds, Clock::time_point now);
  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::uint64_t entries() const { return drain_.entries(); }

 private:
  struct Expiry {
    metrics::GaugeHistogram* left = nullptr;
    static Result<std::unique_ptr<Expiry>> create(const Families& families, const OwnerLabels& owner);
  };
  using Facts = probe::CellMap<certificate_key, CertificateFacts>;
  using PeerSeries = std::map<std::pair<OwnerLabels, std::string>, metrics::Gauge*>;

  void forget_others(const probe::BpfObject& object);
  Status show_one(const certificate_key& key, const CertificateFacts& facts, std::int64_t seconds,
                  Clock::time_point now);
  Result<metrics::Gauge*> peers_of(std::uint64_t identity, const std::string& issuer);

  Families families_;
  Owners& owners_;
  SeriesByOwner<Expiry> expiries_;
  LimitedLabel issuers_;
  PeerSeries peers_;
  std::map<metrics::Gauge*, std::uint64_t> counts_;  // of the collect under way
  probe::MapDrain<certificate_key, certificate_seen> drain_{1};
  std::vector<certificate_key> present_;
  Facts facts_;
};

}  // namespace connscope::bpf
