// SPDX-License-Identifier: Apache-2.0
//
// SampleIndex: finds the series of one family in another snapshot, for what sends the difference of two. Series that
// live share their label values with every snapshot they are in, so a series is the same one when the address of these
// is; one that was forgotten and has come again has the same labels at another address. Both snapshots outlive the
// index. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "agent/metrics/snapshot.h"

namespace connscope::exporters {

/// What a total rose by; all of it where it began anew.
constexpr std::uint64_t rise(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : after;
}
constexpr double rise(double before, double after) { return after >= before ? after - before : after; }

class SampleIndex {
 public:
  /// Of the family by that name; of nothing, when there is no snapshot or the snapshot has no such family.
  SampleIndex(const metrics::Snapshot* snapshot, const std::string& family);

  /// The very series; nullptr when it is not there.
  [[nodiscard]] const metrics::Sample* find_same(const metrics::Sample& sample) const;
  /// That one, or another with the same labels.
  [[nodiscard]] const metrics::Sample* find_alike(const metrics::Sample& sample);
  /// The value of the very series, if it is of this type.
  template <class T>
  [[nodiscard]] const T* find_value(const metrics::Sample& sample) const {
    const metrics::Sample* same = find_same(sample);
    return same == nullptr ? nullptr : std::get_if<T>(&same->value);
  }

 private:
  const metrics::FamilySnapshot* family_ = nullptr;
  std::unordered_map<const void*, const metrics::Sample*> by_address_;
  std::map<std::vector<std::string>, const metrics::Sample*> by_labels_;  // filled when it is first needed
};

}  // namespace connscope::exporters
