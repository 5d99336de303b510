// SPDX-License-Identifier: Apache-2.0
//
// TcpAudit: opens as the programs have seen them against the kernel's own counters, over all network namespaces where
// processes live. Owned by the probe; the collecting thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>

#include "agent/metrics/registry.h"
#include "agent/probe/audit.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/map_drain.h"
#include "agent/probe/netns_processes.h"
#include "bpf/tcp/tcp.h"

namespace connscope::bpf {

class TcpAudit {
 public:
  using Time = probe::AuditWindow::Time;
  static Result<metrics::Family<metrics::Gauge>*> create_family(metrics::Registry& registry);

  /// `own`: the inode number of the agent's namespace. `netns` must outlive it.
  TcpAudit(metrics::Family<metrics::Gauge>* ratio, std::uint32_t own, probe::NetnsProcesses& netns)
      : ratio_(ratio), own_(own), netns_(netns) {}

  Status collect(const probe::BpfObject& object, Time now);
  [[nodiscard]] std::uint64_t namespaces() const { return drain_.entries(); }

 private:
  static constexpr std::size_t kCounters = 3;
  /// One file of some kilobytes each: so many namespaces a collect, in turn, beside the agent's own.
  static constexpr std::size_t kNamespacesPerCollect = 8;
  using Windows = std::array<probe::AuditWindow, kCounters>;

  /// False: nobody lives there any more.
  Result<bool> audit(std::uint32_t netns, const tcp_audit& observed, Time now);
  Status show();

  metrics::Family<metrics::Gauge>* ratio_;
  std::uint32_t own_;
  probe::NetnsProcesses& netns_;
  probe::MapDrain<std::uint32_t, tcp_audit> drain_;
  std::map<std::uint32_t, Windows> windows_;
  std::uint32_t last_ = 0;  // the namespace that was the last one's turn
};

}  // namespace connscope::bpf
