// SPDX-License-Identifier: Apache-2.0
//
// NetnsProcesses: for each network namespace a process that lives in it, so that the namespace's counters can be read
// below /proc/PID/net without entering it. The agent's own is always known. One thread; times are passed in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "agent/base/result.h"

namespace connscope::probe {

class NetnsProcesses {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How often all processes are looked through at most, for namespaces that are asked for and not known.
  static constexpr std::chrono::seconds kScanInterval{10};

  /// `own`: the inode number of the agent's namespace. `procfs` is where proc(5) is mounted.
  explicit NetnsProcesses(std::uint32_t own, std::string procfs = "/proc");

  /// The file `name` ("snmp", "netstat") of that namespace. ENOENT: no process lives there; EAGAIN: none is known, and
  /// it is too early to look again.
  Result<std::string> read(std::uint32_t netns, const std::string& name, Time now);

 private:
  Result<std::string> read_of(const std::string& process, std::uint32_t netns, const std::string& name) const;
  void scan(Time now);

  std::string procfs_;
  std::map<std::uint32_t, std::string> processes_;  // folder names in procfs
  Time last_scan_{};
};

}  // namespace connscope::probe
