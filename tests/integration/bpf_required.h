// SPDX-License-Identifier: Apache-2.0
//
// These tests need root and a kernel that takes BPF programs. Where either lacks they are skipped, unless the
// environment has CONNSCOPE_BPF_TESTS=required: then they fail, so that a gate cannot pass by skipping them.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace connscope::testing {

/// What lacks, or an empty text.
std::string missing_for_bpf();
bool bpf_tests_required();

}  // namespace connscope::testing

// In SetUp() of each fixture here.
#define CONNSCOPE_NEEDS_BPF()                                            \
  do {                                                                   \
    const std::string missing = ::connscope::testing::missing_for_bpf(); \
    if (missing.empty()) break;                                          \
    if (::connscope::testing::bpf_tests_required()) FAIL() << missing;   \
    GTEST_SKIP() << missing;                                             \
  } while (false)
