// SPDX-License-Identifier: Apache-2.0
//
// ConnectCells: the families of active opens, fed from the cells `connect_begun` and `connect_ended`. Owned by the probe; the
// collecting thread only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/tcp/tcp_labels.h"

namespace connscope::bpf {

class ConnectCells {
 public:
  /// Told of successes, which are open connections from then on.
  using Opened = std::function<void(std::uint64_t identity, std::uint64_t count)>;
  /// Told of segments that failed attempts have sent again.
  using Retransmitted = std::function<Status(std::uint64_t identity, std::uint64_t count)>;

  struct Families {
    metrics::Family<metrics::Histogram>* duration = nullptr;
    metrics::Family<metrics::Counter>* connects = nullptr;
    metrics::Family<metrics::Gauge>* in_flight = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  ConnectCells(const Families& families, TcpLabels& labels) : families_(families), series_(labels) {}

  /// Ends before begins: whatever has ended had begun before, so no scrape can show more ends than begins.
  Status collect(const probe::BpfObject& object, const Opened& opened, const Retransmitted& retransmitted,
                 Clock::time_point now);
  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::vector<probe::MapUsage> usage(const probe::BpfObject& object) const;

 private:
  /// The series of one owner. All of them exist from the first on, at zero.
  struct Series {
    std::array<metrics::Counter*, TCP_FAMILIES> connects{};
    std::array<std::array<metrics::Histogram*, 2>, TCP_FAMILIES> durations{};  // [family][failed]
    std::array<metrics::Counter*, CONNECT_OUTCOMES> failures{};                // [CONNECT_OK] stays empty
    metrics::Gauge* in_flight = nullptr;

    static Result<std::unique_ptr<Series>> create(const Families& families, const OwnerLabels& owner);
  };
  /// What has been read of one identity and family so far.
  struct PerFamily {
    connect_begun begun{};
    std::uint64_t ended = 0;
    [[nodiscard]] std::uint64_t in_flight() const;
  };
  using PerFamilies = std::array<PerFamily, TCP_FAMILIES>;

  Result<Series*> series_of(std::uint64_t identity, Clock::time_point now);
  Status add_ended(const connect_ended_key& key, const connect_ended& sum, const Opened& opened,
                   const Retransmitted& retransmitted, Clock::time_point now);
  Status add_begun(const connect_begun_key& key, const connect_begun& sum, Clock::time_point now);
  Status show_in_flight(Clock::time_point now);

  Families families_;
  SeriesByOwner<Series> series_;
  probe::MapDrain<connect_ended_key, connect_ended> ended_drain_;
  probe::MapDrain<connect_begun_key, connect_begun> begun_drain_;
  probe::CellMap<connect_ended_key, connect_ended> ended_;
  std::unordered_map<std::uint64_t, PerFamilies> states_;
};

}  // namespace connscope::bpf
