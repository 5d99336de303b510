// SPDX-License-Identifier: Apache-2.0
//
// LifeCells: the families of passive opens and of established connections, fed from the cells `tcp_closed`, `tcp_durations` and
// `tcp_rare`, and from the sums `tcp_live` of the pass over what is open. Owned by the probe; the collecting thread only.
//
// What connections have carried shows as the sum over those that have closed, read before the pass, and those that are open.
// One that closes in between is in neither and comes at the next collect: a scrape may show a little less than the truth,
// never more, and a total that would fall keeps its value until the truth has passed it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/map_drain.h"
#include "bpf/tcp/tcp_labels.h"

namespace connscope::bpf {

class LifeCells {
 public:
  struct Families {
    metrics::Family<metrics::Counter>* accepts = nullptr;
    metrics::Family<metrics::Histogram>* handshakes = nullptr;
    metrics::Family<metrics::Histogram>* waits = nullptr;
    metrics::Family<metrics::Histogram>* durations = nullptr;
    metrics::Family<metrics::Gauge>* open = nullptr;
    metrics::Family<metrics::Counter>* received = nullptr;
    metrics::Family<metrics::Counter>* sent = nullptr;
    metrics::Family<metrics::Counter>* retransmits = nullptr;
    metrics::Family<metrics::Counter>* resets = nullptr;
    metrics::Family<metrics::Histogram>* rtt = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  LifeCells(const Families& families, TcpLabels& labels);

  /// What has closed; before the pass.
  Status drain_closed(const probe::BpfObject& object, Clock::time_point now);
  /// The sums of the pass of that number.
  Status read_live(const probe::BpfObject& object, std::uint32_t pass);
  /// What has opened, after what has closed: no scrape can show more ends than beginnings.
  Status drain_durations(const probe::BpfObject& object, Clock::time_point now);
  /// Active opens that succeeded.
  void opened(std::uint64_t identity, std::uint64_t count);
  /// Segments that failed attempts have sent again.
  Status retransmitted(std::uint64_t identity, std::uint64_t count, Clock::time_point now);
  /// Sets what is derived from all of the above.
  Status show(Clock::time_point now);
  /// Of listeners that are closed, since the agent started: by identity, and port when the label is on.
  [[nodiscard]] const probe::CellMap<tcp_role_key, tcp_rare>& rare() const { return rare_; }

  void retire(const probe::BpfObject& object, const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::vector<probe::MapUsage> usage(const probe::BpfObject& object) const;

 private:
  /// The series of one owner in one role, made when it first has a connection in it. Those that have the label `listener`
  /// are not here: they are there at zero when that label is off.
  struct RoleSeries {
    std::array<metrics::Histogram*, TCP_CLOSES> durations{};
    std::array<metrics::Counter*, TCP_FAILURES> failures{};  // [FAILURE_NONE] stays empty
    metrics::Gauge* open = nullptr;
    metrics::Histogram* rtt = nullptr;
    metrics::Counter* retransmits = nullptr;
    std::array<metrics::Counter*, 2> resets{};  // in, out
    // The server's alone.
    std::array<metrics::Counter*, TCP_FAMILIES> accepts{};
    std::array<metrics::Histogram*, TCP_FAMILIES> handshakes{};

    static Result<std::unique_ptr<RoleSeries>> create(const Families& families, const OwnerLabels& owner,
                                                      std::uint8_t role, bool by_listener);
  };
  struct Carried {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t retransmits = 0;
  };
  /// What is known of one identity in one role and at one listener's port.
  struct Ledger {
    std::uint64_t opened = 0;
    std::uint64_t closed = 0;
    Carried by_closed;
    Carried by_open;
    Carried shown;
    [[nodiscard]] std::uint64_t open() const { return opened > closed ? opened - closed : 0; }
  };

  Result<RoleSeries*> series_of(std::uint64_t identity, std::uint8_t role, Clock::time_point now);
  Ledger& ledger_of(std::uint64_t identity, std::uint8_t role, std::uint16_t port);
  Status add_closed(const tcp_closed_key& key, const tcp_closed& sum, Clock::time_point now);
  void add_rare(const tcp_role_key& key, const tcp_rare& sum);
  Status add_duration(const tcp_duration_key& key, const tcp_duration& sum, Clock::time_point now);
  Status add_wait(const tcp_duration_key& key, const tcp_duration& news);
  Status show_carried(const tcp_role_key& key, Ledger& ledger, RoleSeries& series);

  Families families_;
  TcpLabels& labels_;
  std::array<SeriesByOwner<RoleSeries>, TCP_ROLES> series_;
  probe::MapDrain<tcp_closed_key, tcp_closed> closed_drain_;
  probe::MapDrain<tcp_duration_key, tcp_duration> duration_drain_;
  probe::MapDrain<tcp_role_key, tcp_rare> rare_drain_;
  probe::MapDrain<tcp_role_key, tcp_live> live_drain_{1};
  probe::CellMap<tcp_closed_key, tcp_closed> closed_;
  probe::CellMap<tcp_duration_key, tcp_duration> durations_;
  probe::CellMap<tcp_role_key, tcp_rare> rare_;
  probe::CellMap<tcp_role_key, Ledger> ledgers_;
};

}  // namespace connscope::bpf
