// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/netns_processes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace connscope::probe {
namespace {

using namespace std::chrono_literals;
constexpr NetnsProcesses::Time kStart{1000s};

/// A proc(5) of files: a namespace is whatever file stands at ns/net, told by its inode number as in the real one.
class FakeProc {
 public:
  FakeProc() : folder_(*testing::TempDir::create()) {}

  [[nodiscard]] const std::string& path() const { return folder_.path(); }
  /// A process; its namespace's number.
  std::uint32_t add(const std::string& process, const std::string& snmp) const {
    const std::filesystem::path folder = std::filesystem::path(path()) / process;
    std::filesystem::create_directories(folder / "ns");
    std::filesystem::create_directories(folder / "net");
    std::ofstream(folder / "ns" / "net") << "x";
    std::ofstream(folder / "net" / "snmp") << snmp;
    struct stat status {};
    EXPECT_EQ(::stat((folder / "ns" / "net").c_str(), &status), 0);
    return static_cast<std::uint32_t>(status.st_ino);
  }
  void end(const std::string& process) const { std::filesystem::remove_all(std::filesystem::path(path()) / process); }

 private:
  testing::TempDir folder_;
};

TEST(NetnsProcesses, ReadsItsOwnNamespaceWithoutLookingAround) {
  const FakeProc proc;
  const std::uint32_t own = proc.add("self", "mine");
  NetnsProcesses processes(own, proc.path());
  EXPECT_EQ(processes.read(own, "snmp", kStart).value(), "mine");
}

TEST(NetnsProcesses, FindsAProcessOfAnotherNamespace) {
  const FakeProc proc;
  NetnsProcesses processes(proc.add("self", "mine"), proc.path());
  const std::uint32_t other = proc.add("42", "theirs");
  EXPECT_EQ(processes.read(other, "snmp", kStart).value(), "theirs");
}

TEST(NetnsProcesses, SaysWhetherNobodyLivesThereOrItIsTooEarlyToLook) {
  const FakeProc proc;
  NetnsProcesses processes(proc.add("self", "mine"), proc.path());
  const std::uint32_t nowhere = 1;
  EXPECT_EQ(processes.read(nowhere, "snmp", kStart).error().code(), ENOENT);
  EXPECT_EQ(processes.read(nowhere, "snmp", kStart + 1s).error().code(), EAGAIN);
  EXPECT_EQ(processes.read(nowhere, "snmp", kStart + NetnsProcesses::kScanInterval).error().code(), ENOENT);
}

TEST(NetnsProcesses, AProcessThatEndsOrMovesIsNotTakenForItsNamespace) {
  const FakeProc proc;
  NetnsProcesses processes(proc.add("self", "mine"), proc.path());
  const std::uint32_t other = proc.add("42", "theirs");
  ASSERT_TRUE(processes.read(other, "snmp", kStart));
  proc.end("42");
  EXPECT_FALSE(processes.read(other, "snmp", kStart + 1s));
  const std::uint32_t next = proc.add("42", "a third's");
  EXPECT_EQ(processes.read(next, "snmp", kStart + 20s).value(), "a third's");
}

TEST(NetnsProcesses, WhatIsNoProcessIsPassedOver) {
  const FakeProc proc;
  NetnsProcesses processes(proc.add("self", "mine"), proc.path());
  const std::uint32_t folder = proc.add("sys", "no process");
  EXPECT_EQ(processes.read(folder, "snmp", kStart).error().code(), ENOENT);
}

}  // namespace
}  // namespace connscope::probe
