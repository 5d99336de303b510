// SPDX-License-Identifier: Apache-2.0
//
// What all who make or write exemplars (snapshot.h) share: how much text one may have, which are a sample's, and which
// are new. Pure; any thread. Source: OpenMetrics 1.0, "Exemplars".
#pragma once

#include <cstddef>
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

/// Of `all`, a family's or some of these in their order, those of its sample of that index, by bucket.
[[nodiscard]] std::span<const PlacedExemplar> exemplars_of(std::span<const PlacedExemplar> all, std::size_t sample);
/// Those of one sample of the family, by bucket.
[[nodiscard]] std::span<const PlacedExemplar> exemplars_of(const FamilySnapshot& family, const Sample& sample);
/// The family's that `before`, an earlier snapshot if any, does not have: who keeps exemplars is to get each once.
[[nodiscard]] std::vector<PlacedExemplar> new_exemplars(const Snapshot* before, const FamilySnapshot& family);

}  // namespace connscope::metrics
