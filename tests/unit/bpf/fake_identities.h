// SPDX-License-Identifier: Apache-2.0
//
// The kernel's identities, in memory: id N is the process "pN" of network namespace N / 100. One thread.
#pragma once

#include <algorithm>
#include <cerrno>
#include <string>

#include "agent/config/document.h"
#include "agent/identity/identity_table.h"

namespace connscope::testing {

class FakeIdentities final : public identity::IdentitySource {
 public:
  Result<identity_info> read(std::uint64_t id) override {
    identity_info info{};
    const std::string name = "p" + std::to_string(id) + '\0';
    std::copy(name.begin(), name.end(), info.exe);
    info.exe_bytes = static_cast<std::uint32_t>(name.size());
    info.key.netns = static_cast<std::uint32_t>(id / 100);
    return info;
  }
  Result<std::uint64_t> id_of_process(std::uint32_t /*pid*/) override { return Error::from_errno("none", ENOENT); }
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t /*pid*/) const override {
    return Error::from_errno("none", ENOENT);
  }
  Status set_left_out(const identity_key& /*key*/, std::uint64_t /*id*/, left_out_by /*by*/) override { return {}; }
  Status forget(const identity_key& /*key*/) override { return {}; }
  Status erase(std::uint64_t /*id*/) override { return {}; }
  Status publish(const identity::CaptureWishes& /*wishes*/) override { return {}; }
  Result<identity::LeftOutCounts> left_out() override { return identity::LeftOutCounts{}; }
};

/// A table of them by the rules of `toml`.
struct Identities {
  explicit Identities(const std::string& toml = "")
      : document(*config::Document::parse(toml, "test.toml")),
        table(source, identity::ProcessRules::parse(document.root()), {}) {}

  FakeIdentities source;
  config::Document document;
  identity::IdentityTable table;
};

}  // namespace connscope::testing
