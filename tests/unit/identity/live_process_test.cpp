// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/live_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace connscope::identity {
namespace {

TEST(LiveProcess, ThisProcessIsReadFromProc) {
  const auto process = read_process("/proc", ::getpid(), {true, 0});
  ASSERT_TRUE(process);
  EXPECT_EQ(process->exe, read_exe("/proc", ::getpid()));
  EXPECT_TRUE(process->exe.ends_with("/identity_test")) << process->exe;
  EXPECT_EQ(process->comm, "identity_test");
  EXPECT_NE(process->args.find("identity_test"), std::string::npos);
  EXPECT_GT(read_start_time("/proc", ::getpid()), 0U);
}

TEST(LiveProcess, ArgumentsAreReadOnlyWhereAskedFor) { EXPECT_EQ(read_process("/proc", ::getpid(), {})->args, ""); }

TEST(LiveProcess, OneThatIsNotThereIsNone) {
  constexpr pid_t kBeyondAllPids = 1 << 23;
  EXPECT_FALSE(read_process("/proc", kBeyondAllPids, {true, 0}));
  EXPECT_EQ(read_exe("/proc", kBeyondAllPids), "");
  EXPECT_EQ(read_start_time("/proc", kBeyondAllPids), 0U);
}

TEST(LiveProcess, ArgumentsAreWords) {
  EXPECT_EQ(words_of_args(std::string("app\0--x\0", 8)), "app --x");
  EXPECT_EQ(words_of_args(""), "");
}

}  // namespace
}  // namespace connscope::identity
