// SPDX-License-Identifier: Apache-2.0
//
// What the service manager, systemd, says of itself and of its units. Times are microseconds of Unix time; what a unit
// does not have, or what was not asked for, is not there. Source: org.freedesktop.systemd1(5).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace connscope::host {

struct Unit {
  std::string name;
  std::string active_state;
  std::string type;  ///< of services and mounts: "notify", "ext4"
  std::optional<std::uint64_t> started_us;
  std::optional<std::uint64_t> tasks;
  std::optional<std::uint64_t> tasks_max;
  std::optional<std::uint64_t> restarts;
  std::optional<std::uint64_t> last_trigger_us;       ///< of timers
  std::optional<std::uint64_t> accepted_connections;  ///< of sockets, as the two below
  std::optional<std::uint64_t> connections;
  std::optional<std::uint64_t> refused_connections;
};

struct ServiceManager {
  std::string version;                               ///< "252.39-1~deb12u2"
  std::string state;                                 ///< "running", "degraded", ...
  std::map<std::string, std::uint64_t> counts = {};  ///< of all units by their active state
  std::vector<Unit> units = {};                      ///< those that are loaded and were asked for
};

struct UnitWishes {
  std::function<bool(const std::string& name)> wanted;
  bool tasks = false;
  bool restarts = false;
  bool start_times = false;
};

}  // namespace connscope::host
