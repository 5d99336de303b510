// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/root_cgroup.h"

#include <gtest/gtest.h>

namespace connscope::probe {
namespace {

TEST(RootCgroup, IsFoundWhereverItIsMounted) {
  EXPECT_EQ(cgroup2_mount("25 30 0:23 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"),
            "/sys/fs/cgroup");
  EXPECT_EQ(cgroup2_mount("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                          "32 31 0:29 / /sys/fs/cgroup/cpu rw shared:1 master:2 - cgroup cgroup rw,cpu\n"
                          "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"),
            "/sys/fs/cgroup/unified");
}

TEST(RootCgroup, APartOfTheHierarchyIsNotItsTop) {
  EXPECT_EQ(cgroup2_mount("41 31 0:38 /kubepods/pod1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), "");
}

TEST(RootCgroup, AMountPointWithEscapesIsPassedOver) {
  EXPECT_EQ(cgroup2_mount("41 31 0:38 / /my\\040cgroups rw - cgroup2 cgroup2 rw\n"), "");
}

TEST(RootCgroup, LinesThatAreCutShortAreNone) {
  EXPECT_EQ(cgroup2_mount(""), "");
  EXPECT_EQ(cgroup2_mount("41 31 0:38 / /sys/fs/cgroup rw"), "");
  EXPECT_EQ(cgroup2_mount("41 31\n- cgroup2\n"), "");
}

}  // namespace
}  // namespace connscope::probe
