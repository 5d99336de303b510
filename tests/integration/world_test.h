// SPDX-License-Identifier: Apache-2.0
//
// WorldTest: one world and one agent for all the tests of a program, whose tests each have process names of their own.
// `Scenario` is what the program's parameterised tests are given. One thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"

namespace connscope::testing {

template <class Scenario>
class WorldTest : public ::testing::TestWithParam<Scenario> {
 protected:
  /// For SetUpTestSuite: the world, `prepare` of each of its namespaces, then the agent with that config.
  static void begin(const std::function<void(const NetNamespace&)>& prepare, const std::string& config) {
    if (!missing_for_bpf().empty()) return;
    world_ = std::make_unique<World>(must(World::create()));
    for (const NetNamespace* each : {&world_->client(), &world_->server()}) prepare(*each);
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, config)));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    world_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }

  static inline std::unique_ptr<World> world_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

/// Data in the first SYN is sent and taken without a cookie.
inline void allow_fast_open(const NetNamespace& netns) {
  must(netns.set_sysctl("net/ipv4/tcp_fastopen", std::to_string(1 | 2 | 4 | 0x200)));
}

/// Room for the names of all the actors of a program.
inline constexpr char kManyPrefixes[] = "[limits]\nprefixes = 2000\n";

}  // namespace connscope::testing
