// SPDX-License-Identifier: Apache-2.0
//
// The families connscope_ingest_*: what came, what was refused and why, what is held. The collecting thread only;
// `registry` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "agent/base/result.h"
#include "agent/ingest/accumulator.h"
#include "agent/metrics/registry.h"

namespace connscope::ingest {

class IngestMetrics {
 public:
  /// Registers all, at zero.
  static Result<IngestMetrics> create(metrics::Registry& registry);

  void show_up(bool unix_socket, bool udp);
  void show(const Taken& taken, std::size_t series);
  /// Totals since the sockets were made.
  void show_dropped(std::uint64_t unix_socket, std::uint64_t udp);

 private:
  struct ByTransport {
    metrics::Counter* unix_socket = nullptr;
    metrics::Counter* udp = nullptr;
  };
  metrics::Gauge* up_unix_ = nullptr;
  metrics::Gauge* up_udp_ = nullptr;
  ByTransport packets_;
  ByTransport dropped_;
  metrics::Counter* packets_unknown_ = nullptr;
  metrics::Counter* lines_ = nullptr;
  ByRefusal<metrics::Counter*> refused_{};
  metrics::Gauge* series_ = nullptr;
  metrics::Gauge* senders_ = nullptr;
};

}  // namespace connscope::ingest
