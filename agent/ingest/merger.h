// SPDX-License-Identifier: Apache-2.0
//
// Merger: from what the Accumulator gave to families and series of the registry. Rules give each sender its label
// `process`; a family gets the labels that come for it, and keeps its type (FEATURES P4). Series that got nothing for
// the idle time go, so that a host whose applications come and go does not fill up. The collecting thread only;
// `registry` and `identities` must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "agent/base/result.h"
#include "agent/identity/identity_table.h"
#include "agent/ingest/accumulator.h"
#include "agent/metrics/registry.h"

namespace connscope::ingest {

class Merger {
 public:
  using Time = Accumulator::Time;
  static constexpr std::size_t kMaxLabels = 32;  // of one family

  Merger(metrics::Registry& registry, identity::IdentityTable& identities, Limits limits)
      : registry_(registry), identities_(identities), limits_(limits) {}

  /// What cannot be shown is counted in `taken.refused`, with an example.
  void apply(Taken& taken, Time now);
  [[nodiscard]] std::size_t series() const { return shown_.size(); }

 private:
  using Series = std::variant<metrics::Counter*, metrics::Gauge*, metrics::Histogram*>;
  /// A series of the registry; several senders write to it when rules give them one name.
  struct Shown {
    metrics::FamilyBase* family;
    std::vector<std::string> values;  // as asked for; the budget may have folded them
    Series series;
    Time last_use;
  };
  using ShownPtr = std::shared_ptr<Shown>;
  struct Target {
    SeriesKeyPtr key;  // keeps its address from being another's
    ShownPtr shown;
  };
  struct Refused {
    Refusal reason;
    std::string detail;
  };
  using Found = tl::expected<ShownPtr, Refused>;

  void forget_labels_of_old_rules();
  const identity::ProcessLabel& label_of(const SenderPtr& sender);
  [[nodiscard]] identity::ProcessLabel find_label(const Sender& sender);
  Found shown_for(const SeriesKeyPtr& key, Time now);
  Found show(const SeriesKey& key, const std::string& process, Time now);
  template <class S>
  Found show_in(metrics::Family<S>& family, const SeriesKey& key, const std::string& process, Time now);
  template <class S>
  Result<metrics::Family<S>*> family_of(const SeriesKey& key);
  void forget_idle(Time now);

  metrics::Registry& registry_;
  identity::IdentityTable& identities_;
  Limits limits_;
  std::uint64_t generation_ = 0;
  std::map<std::string, metrics::FamilyBase*> families_;
  std::unordered_map<SenderPtr, identity::ProcessLabel> labels_;
  std::unordered_map<const SeriesKey*, Target> targets_;
  std::unordered_map<const void*, ShownPtr> shown_;  // by its series
};

}  // namespace connscope::ingest
