// SPDX-License-Identifier: Apache-2.0
//
// What stays open between readings, and when it is closed. The running system's procfs and sysfs stand for themselves.
#include "agent/host/live_kernel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "agent/host/kept_files.h"

namespace connscope::host {
namespace {

UniqueFd any_file() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(KeptFiles, AreFoundUntilTheyAreDropped) {
  KeptFiles kept;
  EXPECT_EQ(kept.find("/sys/a"), -1);
  UniqueFd file = any_file();
  const int fd = file.get();
  kept.keep("/sys/a", std::move(file));
  EXPECT_EQ(kept.find("/sys/a"), fd);
  kept.drop("/sys/a");
  EXPECT_EQ(kept.find("/sys/a"), -1);
  EXPECT_FALSE(is_open(fd));
}

TEST(KeptFiles, AreClosedBelowAFolderThatHasOtherEntries) {
  KeptFiles kept;
  kept.see_listing("/sys/class/net", 1);
  kept.keep("/sys/class/net/eth0/mtu", any_file());
  kept.keep("/sys/class/thermal/thermal_zone0/temp", any_file());
  kept.see_listing("/sys/class/net", 1);
  EXPECT_NE(kept.find("/sys/class/net/eth0/mtu"), -1);
  kept.see_listing("/sys/class/net", 2);  // eth0 may be another device now
  EXPECT_EQ(kept.find("/sys/class/net/eth0/mtu"), -1);
  EXPECT_NE(kept.find("/sys/class/thermal/thermal_zone0/temp"), -1);
}

TEST(KeptFiles, AreAQuarterOfTheDescriptorsAtMost) {
  KeptFiles kept;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit low{64, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int i = 0; i < 40; ++i) kept.keep("/sys/" + std::to_string(i), any_file());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(kept.size(), 16U);
  EXPECT_EQ(kept.find("/sys/16"), -1);
}

TEST(LiveKernel, ReadsAnewWhatItKeepsOpen) {
  LiveKernel kernel(Roots{});
  const auto uptime = [&] { return std::string(kernel.read(Root::kProc, {"uptime"}).text); };
  const std::string first = uptime();
  EXPECT_NE(first, "");
  for (int i = 0; i < 1000 && uptime() == first; ++i) ::usleep(1000);  // a hundredth of a second is its unit
  EXPECT_NE(uptime(), first);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(kernel.line(Root::kSys, {"class/net/", "lo", "/type"}), "772");
}

TEST(LiveKernel, ReadsACopyOfATreeFromItsFiles) {
  const std::string folder = ::testing::TempDir() + "live_kernel_test";
  ::mkdir(folder.c_str(), 0700);
  LiveKernel kernel(Roots{folder, folder, folder, folder});
  for (const std::string text : {"1", "22"}) {
    const std::string written = folder + "/new";
    UniqueFd file(::open(written.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(::rename(written.c_str(), (folder + "/value").c_str()), 0);
    EXPECT_EQ(kernel.line(Root::kSys, {"value"}), text);
    EXPECT_EQ(kernel.line(Root::kProc, {"value"}), text);
  }
}

}  // namespace
}  // namespace connscope::host
