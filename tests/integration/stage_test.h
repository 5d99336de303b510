// SPDX-License-Identifier: Apache-2.0
//
// StageTest: a suite whose tests look at a stage on which everything happened once, before the first of them. One
// thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/integration/bpf_required.h"

namespace connscope::testing {

/// `Stage` has a static play(), which makes one.
template <class Stage>
class StageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (missing_for_bpf().empty()) stage_ = Stage::play();
  }
  static void TearDownTestSuite() { stage_.reset(); }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(stage_, nullptr) << "the agent did not start";
  }

  static inline std::unique_ptr<Stage> stage_;
};

}  // namespace connscope::testing
