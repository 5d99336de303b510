// SPDX-License-Identifier: Apache-2.0
//
// LookupCells: the families of the C library's look-ups, fed from the cells `lookup_ended` and `lookup_queries`. Owned
// by the probe; the collecting thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/dns/libc_lookup.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

/// Label values by enum lookup_outcome.
inline constexpr std::array<const char*, LOOKUP_OUTCOMES> kLookupOutcomeNames = {
    "ok",           "eai_badflags", "eai_noname",     "eai_again",  "eai_fail",   "eai_nodata",   "eai_family",
    "eai_socktype", "eai_service",  "eai_addrfamily", "eai_memory", "eai_system", "eai_overflow", "other"};

/// The label `reason` of a failure.
constexpr const char* lookup_reason_name(std::size_t outcome) {
  return outcome == LOOKUP_OTHER ? "eai_other" : kLookupOutcomeNames[outcome];
}

class LookupCells {
 public:
  struct Families {
    metrics::Family<metrics::Histogram>* durations = nullptr;
    metrics::Family<metrics::Histogram>* queries = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  LookupCells(const Families& families, Owners& owners) : families_(families), owners_(owners), series_(owners) {}

  Status collect(const probe::BpfObject& object, Clock::time_point now);
  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::vector<probe::MapUsage> usage(const probe::BpfObject& object) const;

 private:
  /// The series of one owner. All of them are there from its first look-up on, at zero, but the durations of outcomes
  /// that it has not had.
  struct Series {
    std::array<metrics::Histogram*, LOOKUP_OUTCOMES> durations{};
    std::array<metrics::Counter*, LOOKUP_OUTCOMES> failures{};  // [LOOKUP_OK] stays empty
    metrics::Histogram* queries = nullptr;

    static Result<std::unique_ptr<Series>> create(const Families& families, const OwnerLabels& owner);
  };
  Result<Series*> series_of(std::uint64_t identity, Clock::time_point now);
  Status add_ended(const lookup_ended_key& key, const lookup_ended& sum, Clock::time_point now);
  Status add_queries(const lookup_queries_key& key, const lookup_queries& sum, Clock::time_point now);

  Families families_;
  Owners& owners_;
  SeriesByOwner<Series> series_;
  probe::MapDrain<lookup_ended_key, lookup_ended> ended_drain_;
  probe::MapDrain<lookup_queries_key, lookup_queries> queries_drain_;
  probe::CellMap<lookup_ended_key, lookup_ended> ended_;
  probe::CellMap<lookup_queries_key, lookup_queries> queries_;
};

}  // namespace connscope::bpf
