// SPDX-License-Identifier: Apache-2.0
//
// A kernel half that knows one process, for tests of what userspace finds out by itself. One thread at a time.
#pragma once

#include <cerrno>
#include <cstring>
#include <string_view>

#include "agent/identity/identity_source.h"

namespace connscope::ingest {

class FakeKernel final : public identity::IdentitySource {
 public:
  static constexpr std::uint64_t kId = 10;
  static constexpr std::uint32_t kPid = 4321;

  Result<identity_info> read(std::uint64_t id) override {
    if (id != kId) return Error::from_errno("identity_infos", ENOENT);
    constexpr std::string_view kExe{"brief\0bin", 9};
    identity_info info{};
    info.exe_bytes = kExe.size();
    kExe.copy(info.exe, kExe.size());
    return info;
  }
  Result<std::uint64_t> id_of_process(std::uint32_t pid) override {
    if (pid != kPid) return Error::from_errno("identity_cache", ENOENT);
    return kId;
  }
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t /*pid*/) const override {
    return Error::from_errno("none", ENOENT);
  }
  Status set_left_out(const identity_key& /*key*/, std::uint64_t /*id*/, left_out_by /*by*/) override { return {}; }
  Status forget(const identity_key& /*key*/) override { return {}; }
  Status erase(std::uint64_t /*id*/) override { return {}; }
  Status publish(const identity::CaptureWishes& /*wishes*/) override { return {}; }
  Result<identity::LeftOutCounts> left_out() override { return identity::LeftOutCounts{}; }
};

}  // namespace connscope::ingest
