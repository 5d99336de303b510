// SPDX-License-Identifier: Apache-2.0
//
// What all who make or write exemplars (snapshot.h) share: how much text one may have, and which are a sample's. Pure;
// any thread. Source: OpenMetrics 1.0, "Exemplars".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "agent/metrics/snapshot.h"

namespace connscope::metrics {

/// Of names and values of all labels together, in characters of UTF-8.
inline constexpr std::size_t kMaxExemplarText = 128;

/// Appends a label unless it is empty or has no room: a part of a name would look like another name.
void add_exemplar_label(std::string_view name, const std::string& value, Labels& labels);

/// Those of one sample of the family, by bucket.
[[nodiscard]] std::span<const PlacedExemplar> exemplars_of(const FamilySnapshot& family, const Sample& sample);

}  // namespace connscope::metrics
