// SPDX-License-Identifier: Apache-2.0
//
// How series that are pushed say where they come from, which a scrape would learn from its target. Pure but for the
// host's name; any thread. Source: Prometheus, "Data model" (names of labels).
#pragma once

#include <string>

#include "agent/config/document.h"
#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

/// As the kernel has it; empty when it has none.
[[nodiscard]] std::string host_name();

/// `key = ["name=value", …]` of a section, each name once. Problems go to the document.
[[nodiscard]] metrics::Labels parse_pairs(const config::Section& section, std::string_view key);

/// Labels for all series: `job`, `instance` (the host's name), and `labels`, which are such pairs. Names are those
/// that Prometheus takes. Problems go to the document.
[[nodiscard]] metrics::Labels parse_external_labels(const config::Section& section);

}  // namespace connscope::exporters
