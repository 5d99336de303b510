// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/host/fixture.h"

#include <gtest/gtest.h>

#include "agent/host/catalog.h"
#include "exporters/prometheus_text.h"

namespace connscope::host::testing {

std::unique_ptr<Collector> make_collector(const CollectorType& type) {
  const FlagValues flags(
      all_flags(),
      {{"collector.cpu.info", "true"}, {"collector.stat.softirq", "true"}, {"path.rootfs", "/nonexistent/root"}});
  auto collector = type.make(flags);
  if (!collector) ADD_FAILURE() << type.name << ": " << collector.error().message();
  return collector ? std::move(*collector) : nullptr;
}

FakeKernel fixture_kernel() {
  static const FakeKernel kFixture = FakeKernel::of_folder(CONNSCOPE_SOURCE_DIR "/tests/fixtures/host");
  return kFixture;
}

std::string served(Collector& collector) {
  metrics::Snapshot snapshot;
  collector.append(snapshot.families);
  std::string text;
  exporters::PrometheusTextEncoder().encode(snapshot, {}, text);
  return text;
}

}  // namespace connscope::host::testing
