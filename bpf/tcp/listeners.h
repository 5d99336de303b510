// SPDX-License-Identifier: Apache-2.0
//
// Listeners: the gauges of their queues and the connections that they dropped, from the reports of the pass over them. A
// socket counts its drops itself, but among them segments that cost nobody a connection (a deferred accept's ACK). How many
// connections were dropped, and how many of these for a full accept queue, the kernel counts for the whole namespace (TcpExt
// ListenDrops, ListenOverflows); the others had no room among the half-open ones. So a listener's news are told by both. Owned
// by the probe; the collecting thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/metrics/registry.h"
#include "agent/probe/cell_map.h"
#include "agent/probe/netns_processes.h"
#include "bpf/tcp/tcp_labels.h"

namespace connscope::bpf {

class Listeners {
 public:
  struct Families {
    metrics::Family<metrics::Counter>* drops = nullptr;
    metrics::Family<metrics::Gauge>* backlog = nullptr;
    metrics::Family<metrics::Gauge>* backlog_limit = nullptr;
    metrics::Family<metrics::Counter>* failures = nullptr;
  };
  static Result<Families> create_families(metrics::Registry& registry);

  /// `netns` must outlive it.
  Listeners(const Families& families, TcpLabels& labels, probe::NetnsProcesses& netns)
      : families_(families), labels_(labels), netns_(netns) {}

  /// `reports`: listener_report after listener_report, as the pass wrote them. `closed`: the drops of listeners that are
  /// closed, read before the pass.
  Status collect(std::string_view reports, const probe::CellMap<tcp_role_key, tcp_rare>& closed, Clock::time_point now);
  void retire(const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  /// All listeners of one identity and, when the label is on, port.
  struct Sum {
    std::uint32_t netns = 0;
    std::uint64_t backlog = 0;
    std::uint64_t backlog_limit = 0;
    std::uint64_t open_drops = 0;
    std::uint64_t closed_drops = 0;
    std::uint64_t shown_drops = 0;
  };
  using Key = std::pair<std::uint64_t, std::uint16_t>;  // identity, port
  /// One of the kernel's counters of one namespace, and what of it no listener has been told yet.
  struct Share {
    std::uint64_t total = 0;
    std::uint64_t unspent = 0;
    void rise_to(std::uint64_t now);
    /// Up to `wanted` of what is unspent.
    std::uint64_t spend(std::uint64_t wanted);
  };
  struct Shares {
    Share overflows;  // accept queue full
    Share others;     // dropped for another reason
  };

  void add(const listener_report& report, Clock::time_point now);
  /// Reads what each namespace has dropped whose listeners have dropped anything, or that is new.
  void read_shares(Clock::time_point now);
  Status show_queues();
  Status show_drops(const Key& key, Sum& sum);
  Status count(const Key& key, const char* reason, std::uint64_t drops);

  Families families_;
  TcpLabels& labels_;
  probe::NetnsProcesses& netns_;
  std::map<Key, Sum> sums_;
  std::map<std::uint32_t, Shares> shares_;  // by namespace
  std::uint64_t size_ = 0;
};

}  // namespace connscope::bpf
