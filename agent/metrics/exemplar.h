// SPDX-License-Identifier: Apache-2.0
//
// What all who make or write exemplars (snapshot.h) share: how much text one may have, which are a sample's, and which
// are new. Pure; any thread. Source: OpenMetrics 1.0, "Exemplars".
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// Of names and values of all labels together, in characters of UTF-8.
inline constexpr std::size_t kMaxExemplarText = 128;

/// Appends a label unless it is empty or has no room: a part of a name would look like another name.
void add_exemplar_label(std::string_view name, const std::string& value, Labels& labels);

/// Those of one sample of the family, by bucket.
[[nodiscard]] std::span<const PlacedExemplar> exemplars_of(const FamilySnapshot& family, const Sample& sample);

/// What a receiver that keeps exemplars does not have yet, when `before` is the snapshot that it has, if any. It takes
/// those of a series in the order of their times alone, in milliseconds: what is as old as one that it has is left out.
class ExemplarNews {
 public:
  /// Nothing: of a receiver that wants no exemplars.
  ExemplarNews() = default;
  /// `family` outlives it.
  ExemplarNews(const Snapshot* before, const FamilySnapshot& family);

  /// By bucket, for a receiver with a series for each.
  [[nodiscard]] std::vector<PlacedExemplar> of_buckets(const Sample& sample) const;
  /// By time, for a receiver with one series for all buckets.
  [[nodiscard]] std::vector<PlacedExemplar> of_series(const Sample& sample) const;

 private:
  using Milliseconds = std::chrono::time_point<WallTime::clock, std::chrono::milliseconds>;

  [[nodiscard]] std::vector<PlacedExemplar> all_of(const Sample& sample) const;
  static Milliseconds time_of(const PlacedExemplar& placed);

  const FamilySnapshot* family_ = nullptr;
  // What the receiver has: by the address of the sample's label values, which a series keeps, the times by bucket.
  std::map<const void*, std::map<std::size_t, Milliseconds>> known_;
};

}  // namespace connscope::metrics
