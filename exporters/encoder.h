// SPDX-License-Identifier: Apache-2.0
//
// Encoder: turns a snapshot into the bytes of one exposition format. Stateless; any thread. An encoder never fails:
// what a format cannot say it says as near as it can (OpenMetrics types that Prometheus text 0.0.4 lacks), and one
// hostile label cannot spoil the rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

/// Which part of a snapshot is asked for (`?prefix=`, `?name[]=`, globs, and collectors); an empty list lets everything
/// pass. With `prefixes` only series with a matching `process` label pass: those of the agent itself have none.
struct Selection {
  std::vector<std::string> prefixes;
  std::vector<std::string> names;  ///< matched against family names and against sample names (`x_total`, `x_bucket`)
  /// Collectors of the host's metrics, by their names. With `collectors` only their families pass, with
  /// `without_collectors` all but theirs; series that have a collector as label are its too.
  std::vector<std::string> collectors = {};
  std::vector<std::string> without_collectors = {};

  [[nodiscard]] bool selects_family(const metrics::FamilySnapshot& family) const;
  /// Only for families that are selected.
  [[nodiscard]] bool selects_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample) const;

  /// How many series do not pass, and for which of the two.
  struct LeftOut {
    std::uint64_t by_name = 0;
    std::uint64_t by_prefix = 0;
  };
  [[nodiscard]] LeftOut left_out(const metrics::Snapshot& snapshot) const;

 private:
  [[nodiscard]] bool selects_collector(const metrics::FamilySnapshot& family) const;
  [[nodiscard]] bool selects_collector(const metrics::FamilySnapshot& family, const metrics::Sample& sample) const;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// For the Content-Type header, exactly as the format's specification has it.
  [[nodiscard]] virtual std::string_view content_type() const = 0;
  /// Appends to `out`, so that a caller can reuse a buffer.
  virtual void encode(const metrics::Snapshot& snapshot, const Selection& selection, std::string& out) const = 0;
};

}  // namespace connscope::exporters
