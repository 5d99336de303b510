// SPDX-License-Identifier: Apache-2.0
//
// Threads of the test give up what they have; the test's own keeps it. Whoever has no capability to begin with can
// still give all of them up.
#include "agent/base/thread_rights.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cstdint>
#include <string>
#include <thread>

#include "agent/base/file.h"

namespace connscope {
namespace {

constexpr std::uint64_t kNetAdmin = std::uint64_t{1} << CAP_NET_ADMIN;

/// A line of the calling thread's status, "CapPrm" for instance.
std::uint64_t mask(const std::string& name) {
  const std::string status = *read_file("/proc/thread-self/status");
  const std::size_t at = status.find("\n" + name + ":\t");
  EXPECT_NE(at, std::string::npos);
  return std::stoull(status.substr(at + name.size() + 3), nullptr, 16);
}

template <class Work>
void in_a_thread(const Work& work) {
  std::thread(work).join();
}

TEST(ThreadRights, OneIsGivenUpAndTheOthersStay) {
  const std::uint64_t before = mask("CapPrm");
  in_a_thread([before] {
    ASSERT_TRUE(give_up_capability(CAP_NET_ADMIN));
    EXPECT_EQ(mask("CapPrm"), before & ~kNetAdmin);
    EXPECT_EQ(mask("CapEff") & kNetAdmin, 0U);
    EXPECT_EQ(mask("CapInh") & kNetAdmin, 0U);
    in_a_thread([before] { EXPECT_EQ(mask("CapPrm"), before & ~kNetAdmin) << "a thread of that thread"; });
  });
  EXPECT_EQ(mask("CapPrm"), before);
}

TEST(ThreadRights, OneThatIsNotThereIsGivenUpAsWell) {
  in_a_thread([] {
    ASSERT_TRUE(give_up_capability(CAP_NET_ADMIN));
    EXPECT_TRUE(give_up_capability(CAP_NET_ADMIN));
  });
}

TEST(ThreadRights, AllAreGivenUp) {
  const std::uint64_t before = mask("CapPrm");
  in_a_thread([] {
    ASSERT_TRUE(give_up_capabilities());
    EXPECT_EQ(mask("CapPrm"), 0U);
    EXPECT_EQ(mask("CapEff"), 0U);
  });
  EXPECT_EQ(mask("CapPrm"), before);
}

}  // namespace
}  // namespace connscope
