// SPDX-License-Identifier: Apache-2.0
//
// What is said of a config, and of parts of the agent that cannot be made on this machine.
#include "agent/runtime/agent.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/runtime/fake_identity_probe.h"

namespace connscope::runtime {
namespace {

/// Parts whose probes read [probe.first] and are made, or fail for the reason that is given.
AgentParts parts_with_probes(const std::string& reason) {
  AgentParts parts;
  parts.make_identity_probe = [] { return std::make_unique<FakeIdentityProbe>(true); };
  parts.make_probes = [reason](const probe::ProbeContext& /*context*/,
                               config::Section section) -> Result<std::vector<std::unique_ptr<probe::Probe>>> {
    (void)section.table("first").integer("cells", 8, 1, 100);
    if (!reason.empty()) return Error(reason);
    return std::vector<std::unique_ptr<probe::Probe>>();
  };
  parts.version = "1.2.3";
  return parts;
}

std::string complaint(const std::string& toml, const AgentParts& parts) {
  const auto document = config::Document::parse(toml, "test.toml");
  const Status legal = check_config(*document, parts);
  return legal ? "" : legal.error().message();
}

TEST(AgentConfig, NamesKeysThatNoPartKnows) {
  EXPECT_EQ(complaint("[connections]\nkeep = 5\n", parts_with_probes("")), "");
  EXPECT_EQ(complaint("[probe.first]\ncell = 5\n", parts_with_probes("")),
            "test.toml:2: probe.first.cell: unknown key (did you mean cells?); allowed here: cells");
}

TEST(AgentConfig, OfAPartThatCannotBeMadeTheCauseIsSaidAndNoLegalKeyIsUnknown) {
  const AgentParts parts = parts_with_probes("/sys/devices/system/cpu/possible: No such file or directory");
  EXPECT_EQ(complaint("[ingest]\nenabled = false\n[policy.a]\nexporters = [\"log\"]\n[exporter.log]\n", parts),
            "/sys/devices/system/cpu/possible: No such file or directory");
}

TEST(AgentConfig, WhatIsWrongBesideSuchAPartIsSaidAfterIt) {
  EXPECT_EQ(complaint("[probe.first]\ncells = 0\n[ingest]\nenabled = false\n", parts_with_probes("no BTF")),
            "no BTF\ntest.toml:2: probe.first.cells: 0 is out of range; allowed: an integer from 1 to 100");
}

TEST(AgentConfig, OfTheHostsMetricsAsWell) {
  AgentParts parts = parts_with_probes("");
  parts.make_host = [](config::Section /*section*/) -> Result<std::unique_ptr<host::HostMetrics>> {
    return Error("--collector.cpu.x: no such pattern");
  };
  EXPECT_EQ(complaint("[exporter.log]\n", parts), "--collector.cpu.x: no such pattern");
}

}  // namespace
}  // namespace connscope::runtime
