// SPDX-License-Identifier: Apache-2.0
//
// Another program's packet program at a cgroup: it counts the packets of its direction and lets them pass. And a look
// at what the kernel has: what is attached there, and all programs and links of the host. Needs root. One thread at a
// time.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

enum class Direction { kIngress, kEgress };

class PacketNeighbour {
 public:
  /// Attaches to the cgroup folder `path` after those that are there; gone with the object.
  static Result<PacketNeighbour> attach(const std::string& path, Direction direction);

  [[nodiscard]] std::uint32_t program_id() const { return program_id_; }
  /// Packets so far.
  [[nodiscard]] std::uint64_t count() const;

 private:
  PacketNeighbour(UniqueFd map, UniqueFd link, std::uint32_t program_id)
      : map_(std::move(map)), link_(std::move(link)), program_id_(program_id) {}
  UniqueFd map_;
  UniqueFd link_;
  std::uint32_t program_id_;
};

/// The programs at that cgroup, in the order in which they run.
Result<std::vector<std::uint32_t>> programs_at(const std::string& path, Direction direction);

std::set<std::uint32_t> all_programs();
std::set<std::uint32_t> all_links();

}  // namespace connscope::testing
