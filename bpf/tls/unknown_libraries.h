// SPDX-License-Identifier: Apache-2.0
//
// UnknownLibraries: how many processes shake hands by a TLS library that no probe understands. Their handshakes are
// counted all the same, by what the wire shows; what is missing is the library's word on why one failed. A process
// counts once, at the first collect after its first handshake without such a word, unless it turns out to have a
// library that a probe hangs in. One that is gone by then counts as it was last looked at.
//
// Without sight of all processes (a pid namespace of the agent's own), or where no probe of a library is on, nothing is
// counted: the family has no series.
//
// Owned by the probe `tls`; the collecting thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/registry.h"
#include "agent/probe/library_watch.h"
#include "agent/probe/map_drain.h"
#include "bpf/owners/owners.h"
#include "bpf/tls/tls.h"

namespace connscope::bpf {

class UnknownLibraries {
 public:
  using Family = metrics::Family<metrics::Counter>;
  static Result<Family*> create_family(metrics::Registry& registry);

  /// `libraries` and `owners` outlive it.
  UnknownLibraries(Family* family, Owners& owners, probe::LibraryWatch& libraries);

  /// `map_fd`: of the map `tls_strangers`.
  Status collect(int map_fd, Clock::time_point now);
  void retire(const std::vector<std::uint64_t>& identities);
  [[nodiscard]] std::uint64_t entries() const { return drain_.entries(); }

 private:
  struct Series {
    metrics::Counter* processes = nullptr;
  };
  using Began = std::unordered_map<std::uint32_t, std::uint64_t>;  // by process

  Status judge(std::uint32_t process, std::uint64_t identity, Clock::time_point now);

  Family* family_;
  SeriesByOwner<Series> series_;
  probe::LibraryWatch& libraries_;
  bool sees_processes_;
  probe::MapDrain<std::uint32_t, tls_stranger> drain_{1};
  Began judged_;
};

}  // namespace connscope::bpf
