// SPDX-License-Identifier: Apache-2.0
//
// LiveKernel: the running system. Every content goes into one buffer that is reused, and files that are read again stay
// open (kept_files.h).
// The collecting thread only. Source: proc(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/kept_files.h"
#include "agent/host/kernel.h"
#include "agent/host/systemd_bus.h"

namespace connscope::host {

struct Roots {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string root = "/";
  std::string udev = "/run/udev/data";
};

class LiveKernel final : public Kernel {
 public:
  /// More than any file that a collector reads; a bound for what is no such file.
  static constexpr std::size_t kMaxBytes = 64U << 20U;

  explicit LiveKernel(Roots roots);

  Content read(Root root, Path path) override;
  Listing list(Root root, Path path) override;
  Content link(Root root, Path path) override;
  std::int64_t modified(Root root, Path path) override;
  [[nodiscard]] std::string path(Root root, Path path) const override;
  std::optional<Driver> driver(const std::string& device) override;
  std::vector<std::pair<std::string, std::uint64_t>> driver_statistics(const std::string& device) override;
  Result<std::optional<ServiceManager>> service_manager(const UnitWishes& wishes) override;
  int uname(utsname& name) override;
  int clock_state(timex& state) override;
  [[nodiscard]] std::chrono::system_clock::time_point now() override;

 private:
  [[nodiscard]] const std::string& folder(Root root) const;
  const char* join(Root root, Path path);
  [[nodiscard]] bool stays_open(Root root, Path path) const;
  Content read_from(int fd, bool at_once);

  Roots roots_;
  bool is_procfs_;
  bool is_sysfs_;
  std::string path_;          // reused
  std::vector<char> buffer_;  // likewise
  KeptFiles kept_;
  SystemdBus systemd_;
};

}  // namespace connscope::host
