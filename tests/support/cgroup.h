// SPDX-License-Identifier: Apache-2.0
//
// Cgroups v2 that a test makes, and a policy in one that decides what becomes of connects. Needs root. One thread at a
// time.
#pragma once

#include <sys/types.h>

#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

/// Where the cgroup v2 hierarchy is mounted, by /proc/self/mountinfo.
Result<std::string> cgroup2_mount();

/// A folder below the mount, with those above it that were missing; all it made is removed with it.
class TestCgroup {
 public:
  /// `path` without a slash in front: "connscope-test.slice/web.service".
  static Result<TestCgroup> create(const std::string& path);

  TestCgroup(TestCgroup&& other) noexcept;
  TestCgroup& operator=(TestCgroup&&) = delete;
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  /// Waits a moment for processes that are still on their way out.
  ~TestCgroup();

  /// The folder.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Moves a running process here.
  [[nodiscard]] Status take_in(pid_t pid) const;

 private:
  TestCgroup(std::string path, std::string first_made) : path_(std::move(path)), first_made_(std::move(first_made)) {}
  std::string path_;
  /// The topmost folder that did not exist before; empty when none was made.
  std::string first_made_;
};

/// While it lives, each IPv4 connect() in that cgroup is refused by a BPF program: with EPERM, or with `error` where
/// the kernel lets the program choose (5.18 and later).
class ConnectPolicy {
 public:
  static Result<ConnectPolicy> deny(const TestCgroup& cgroup);
  static Result<ConnectPolicy> fail_with(const TestCgroup& cgroup, int error);

 private:
  explicit ConnectPolicy(UniqueFd link) : link_(std::move(link)) {}
  UniqueFd link_;
};

}  // namespace connscope::testing
