// SPDX-License-Identifier: Apache-2.0
//
// DeniedTest: the base of tests that make attempts on a prohibited route, in a namespace of the test's own: a reason
// that hardly anything else on a host ever has, so that the counts under a process are the test's.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"

namespace connscope::testing {

class DeniedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    must(apart_->ip("route add prohibit 10.88.2.0/24\n"));
  }

  static AgentProcess start_agent(const std::string& config = {}) {
    return must(AgentProcess::start({CONNSCOPE_AGENT}, config + kWithoutTls));
  }
  static double denied(const Exposition& shown, const std::string& process) {
    return shown.sum("conn_failures_total", {{"process", process}, {"reason", "denied"}});
  }
  static double denied(const AgentProcess& agent, const std::string& process) {
    return denied(must(agent.scrape()), process);
  }
  /// Eight prefixes have made two attempts each, and the limit is three.
  static void expect_five_in_other(const Exposition& shown) {
    EXPECT_EQ(shown.sum("conn_failures_total", {{"reason", "denied"}}), 16);
    EXPECT_GE(denied(shown, "other"), 2 * (8 - 3));
    std::set<std::string> prefixes = shown.values_of("process");
    prefixes.erase("other");
    EXPECT_LE(prefixes.size(), 3U);
  }

  std::unique_ptr<NetNamespace> apart_;
};

}  // namespace connscope::testing
