// SPDX-License-Identifier: Apache-2.0
//
// A kernel that answers from memory: files by their path under "proc", "sys", "udev" and "root", where the last also
// stands for paths as they are. What is not there lacks; `unreadable` files refuse.
#pragma once

#include <map>
#include <set>
#include <string>

#include "agent/host/kernel.h"

namespace connscope::host::testing {

class FakeKernel final : public Kernel {
 public:
  FakeKernel() = default;
  /// All files below `folder`.
  static FakeKernel of_folder(const std::string& folder);

  Content read(Root root, Path path) override;
  Listing list(Root root, Path path) override;
  Content link(Root root, Path path) override;
  std::int64_t modified(Root root, Path path) override;
  /// As on a real system: without the name of the tree.
  [[nodiscard]] std::string path(Root root, Path path) const override;
  std::optional<Driver> driver(const std::string& device) override;
  std::vector<std::pair<std::string, std::uint64_t>> driver_statistics(const std::string& device) override;
  Result<std::optional<ServiceManager>> service_manager(const UnitWishes& wishes) override;
  int uname(utsname& name) override;
  int clock_state(timex& state) override;
  [[nodiscard]] std::chrono::system_clock::time_point now() override;

  std::map<std::string, std::string> files;
  std::map<std::string, std::string> links;
  std::set<std::string> unreadable;

 private:
  static std::string key(Root root, Path path);
};

}  // namespace connscope::host::testing
