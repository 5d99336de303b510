// SPDX-License-Identifier: Apache-2.0
//
// An identity probe of plain memory that knows no process. It starts, or says that it cannot.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/probe/identity_probe.h"

namespace connscope::runtime {

class FakeIdentityProbe final : public probe::IdentityProbe {
 public:
  explicit FakeIdentityProbe(bool starts) : starts_(starts) {}
  [[nodiscard]] std::string_view name() const override { return "identity"; }
  Status start(const probe::SharedMaps& /*shared*/) override {
    return starts_ ? Status() : Status(Error("no BTF in this kernel"));
  }
  void check_reload(config::Section /*section*/) const override {}
  void stop() override {}
  Status collect(std::chrono::steady_clock::time_point /*now*/) override { return {}; }
  void retire(const std::vector<std::uint64_t>& /*identities*/) override {}
  [[nodiscard]] probe::ProbeReport report() const override { return {starts_, {}, {}, {}, {}}; }
  [[nodiscard]] probe::SharedMaps shared_maps() const override { return {{"identities", 7}}; }
  [[nodiscard]] int news_fd() const override { return -1; }
  std::vector<std::uint64_t> take_news() override { return {}; }
  [[nodiscard]] int execs_fd() const override { return -1; }
  std::vector<std::uint32_t> take_execs() override { return {}; }
  void await_exec() override {}
  Result<identity_info> read(std::uint64_t /*id*/) override { return identity_info{}; }
  Result<std::uint64_t> id_of_process(std::uint32_t /*pid*/) override { return Error::from_errno("none", ENOENT); }
  [[nodiscard]] Result<identity_program> program_of(std::uint32_t /*pid*/) const override {
    return Error::from_errno("none", ENOENT);
  }
  Status set_left_out(const identity_key& /*key*/, std::uint64_t /*id*/, left_out_by /*by*/) override { return {}; }
  Status forget(const identity_key& /*key*/) override { return {}; }
  Status erase(std::uint64_t /*id*/) override { return {}; }
  Status publish(const identity::CaptureWishes& /*wishes*/) override { return {}; }
  Result<identity::LeftOutCounts> left_out() override { return identity::LeftOutCounts{}; }

 private:
  bool starts_;
};

}  // namespace connscope::runtime
