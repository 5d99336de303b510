// SPDX-License-Identifier: Apache-2.0
//
// Exemplars: keeps of single failures and outliers (detail::ConnectionFeed) what leads from a series to a case, and
// [exemplars] of the config. Off by default, and then it does not listen (FEATURES D17). It is put where the event was
// counted: a failure at its counter, and its duration, as an outlier's, in its bucket. A connection does not tell all
// labels of a series; where several series may have counted it none gets it. Of each place the newest is kept, up to a
// limit, past which the oldest goes. Owned by the collect cycle; the collecting thread only. Source: OpenMetrics 1.0,
// "Exemplars".
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "agent/config/document.h"
#include "agent/detail/connection_feed.h"
#include "agent/metrics/snapshot.h"

namespace connscope::runtime {

/// What an exemplar says, beside the pid. Neither: there are none.
struct ExemplarSettings {
  bool peers = false;
  bool hosts = false;

  /// Problems go to the document.
  static ExemplarSettings parse(config::Section root);
  [[nodiscard]] bool any() const { return peers || hosts; }
  bool operator==(const ExemplarSettings&) const = default;
};

class Exemplars {
 public:
  static constexpr std::size_t kMostKept = 1000;

  /// `feed` outlives this.
  explicit Exemplars(detail::ConnectionFeed& feed) : feed_(feed) {}
  Exemplars(const Exemplars&) = delete;
  Exemplars& operator=(const Exemplars&) = delete;

  /// What was kept is forgotten when the settings are others: it may say what they forbid.
  void apply(const ExemplarSettings& settings);
  /// Adds what is kept to the families of a snapshot that nobody has seen yet.
  void attach(metrics::Snapshot& snapshot);

 private:
  /// Where something was counted, as far as a connection tells. Texts live for ever but for the process.
  struct Place {
    std::string_view family_id;
    std::string process;
    std::string_view role, stage, reason, ip_family;
    std::size_t octave = 0;  // of the duration, so that the usual does not push out the rare
    auto operator<=>(const Place&) const = default;
  };
  using Kept = std::map<Place, std::shared_ptr<const metrics::Exemplar>>;
  class Placing;

  void note(const detail::Connection& connection);
  void keep(Place place, metrics::Exemplar exemplar);
  [[nodiscard]] metrics::Labels labels_of(const detail::Connection& connection) const;

  detail::ConnectionFeed& feed_;
  detail::ConnectionFeed::Subscription subscription_;
  ExemplarSettings settings_;
  Kept kept_;
};

}  // namespace connscope::runtime
