// SPDX-License-Identifier: Apache-2.0
//
// MetricsSource: where an exposition server without probes (`connscope expose`) gets what it shows. Made from the
// section [expose] of a config and what the command line says instead; one thread. read() never fails: whether the
// store could be read is among the metrics that it gives (connscope_expose_up).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  /// All that the store has now.
  virtual metrics::SnapshotPtr read() = 0;
  /// Why the last read() could not; empty when it could.
  [[nodiscard]] virtual std::string problem() const = 0;
};

/// `address` and `namespaces` are empty where the config decides. Problems of the section go to its document; an error
/// says what this build cannot.
[[nodiscard]] Result<std::unique_ptr<MetricsSource>> make_metrics_source(const config::Section& section,
                                                                         const std::string& address,
                                                                         std::vector<std::string> namespaces);

}  // namespace connscope::exporters
