// SPDX-License-Identifier: Apache-2.0
//
// Collectors of the catalogue with every switch on, and what they serve as text.
#pragma once

#include <memory>
#include <string>

#include "agent/host/collector.h"
#include "tests/unit/host/fake_kernel.h"

namespace connscope::host::testing {

/// Its mounts are in a root that does not exist, so that they are the same everywhere.
std::unique_ptr<Collector> make_collector(const CollectorType& type);
/// The fixture tree, read once.
FakeKernel fixture_kernel();
/// The families of the collector, as Prometheus text.
std::string served(Collector& collector);

}  // namespace connscope::host::testing
