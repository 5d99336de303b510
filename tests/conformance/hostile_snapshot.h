// SPDX-License-Identifier: Apache-2.0
//
// One snapshot with every metric type, and with the values that break careless encoders: quotes, line feeds,
// backslashes, UTF-8 and what is none, NaN, infinities, integers beyond a double's reach, empty labels. The golden test
// and the conformance tests share it; openmetrics_roundtrip.py says independently what a parser must read from it.
#pragma once

#include <memory>

#include "agent/metrics/snapshot.h"

namespace connscope::test {

[[nodiscard]] metrics::SnapshotPtr make_hostile_snapshot();

}  // namespace connscope::test
