// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' text format as other programs write it into files for us (version 0.0.4, "Text-based format"). Taken
// whole or not at all: an error names the line. Times of samples are refused, since what is served is of now.
// Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/snapshot.h"

namespace connscope::host {

/// The families of the text, in its order, which are legal by themselves: names, labels, no series twice, histograms
/// whole. A counter whose name lacks `_total` keeps its name, and so is untyped. Label names of a family are those of
/// all its series; a series that lacks one has it empty.
[[nodiscard]] Result<std::vector<metrics::FamilySnapshot>> parse_text_exposition(std::string_view text);

}  // namespace connscope::host
