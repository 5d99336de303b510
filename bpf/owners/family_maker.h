// SPDX-License-Identifier: Apache-2.0
//
// Makers of the families of a probe and of the series of one owner, that keep the first error, so that a table of them
// reads as one. The collecting thread only.
#pragma once

#include <bpf/bpf.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/registry.h"
#include "bpf/include/latency_bounds.h"
#include "bpf/owners/owners.h"

namespace connscope::bpf {

inline constexpr double kNsPerSecond = 1e9;

/// A family's name, and its dotted id where METRICS.md gives it one.
struct FamilyName {
  FamilyName(const char* family, const char* dotted_id = "") : name(family), id(dotted_id) {}  // NOLINT(*-explicit-*)
  const char* name;
  const char* id;
};

/// Registers families whose first label is `process` and whose last is `netns`.
class FamilyMaker {
 public:
  explicit FamilyMaker(metrics::Registry& registry) : registry_(registry) {}

  template <class S>
  metrics::Family<S>* family(FamilyName name, const char* help, std::vector<std::string> labels,
                             const char* unit = "") {
    labels.emplace_back("netns");
    if constexpr (std::is_base_of_v<metrics::HistogramCells, S>) {
      return keep(registry_.family<S>({name.name, help, "seconds", std::move(labels), "process", name.id}, layout_));
    } else {
      return keep(registry_.family<S>({name.name, help, unit, std::move(labels), "process", name.id}));
    }
  }
  /// A histogram of what is counted, not timed.
  metrics::Family<metrics::Histogram>* counts(const char* name, const char* help, std::vector<std::string> labels,
                                              metrics::BucketLayout::Ptr layout) {
    return distribution<metrics::Histogram>(name, help, "", std::move(labels), std::move(layout));
  }
  /// A histogram with buckets of its own.
  template <class S>
  metrics::Family<S>* distribution(const char* name, const char* help, const char* unit,
                                   std::vector<std::string> labels, metrics::BucketLayout::Ptr layout) {
    labels.emplace_back("netns");
    return keep(registry_.family<S>({name, help, unit, std::move(labels), "process"}, std::move(layout)));
  }
  metrics::Family<metrics::Counter>* failures() {
    return family<metrics::Counter>({"conn_failures", "n.cn.failures"},
                                    "Failures of connections, each under one stage and reason.",
                                    {"process", "role", "stage", "reason", "host"});
  }
  [[nodiscard]] const Status& outcome() const { return outcome_; }

 private:
  template <class F>
  F* keep(Result<F*> made) {
    if (made) return *made;
    if (outcome_) outcome_ = made.error();
    return nullptr;
  }
  metrics::Registry& registry_;
  metrics::BucketLayout::Ptr layout_ =
      metrics::BucketLayout::exponential(LATENCY_SCHEMA, LATENCY_FIRST, LATENCY_LAST, 4);
  Status outcome_;
};

/// Makes the series of one owner.
class SeriesMaker {
 public:
  explicit SeriesMaker(const OwnerLabels& owner) : owner_(owner) {}

  /// `values` are those of the labels between `process` and `netns`.
  template <class S>
  S* series(metrics::Family<S>* family, std::vector<std::string> values) {
    values.insert(values.begin(), owner_.process);
    values.push_back(owner_.netns);
    auto made = family->with(values);
    if (made) return *made;
    if (outcome_) outcome_ = made.error();
    return nullptr;
  }
  /// Of FamilyMaker::failures. `host` is the server of a TLS handshake, where the config asks for the label.
  metrics::Counter* failures(metrics::Family<metrics::Counter>* family, const std::string& role, const char* stage,
                             const char* reason, const std::string& host = {}) {
    return series(family, {role, stage, reason, host});
  }
  [[nodiscard]] const Status& outcome() const { return outcome_; }

 private:
  const OwnerLabels& owner_;
  Status outcome_;
};

/// Deletes the cells of identities that are gone, here and in the kernel.
template <class Cells>
void erase_cells(Cells& cells, int map_fd, const std::vector<std::uint64_t>& identities) {
  for (auto cell = cells.begin(); cell != cells.end();) {
    if (std::find(identities.begin(), identities.end(), cell->first.identity) == identities.end()) {
      ++cell;
      continue;
    }
    bpf_map_delete_elem(map_fd, &cell->first);
    cell = cells.erase(cell);
  }
}

}  // namespace connscope::bpf
