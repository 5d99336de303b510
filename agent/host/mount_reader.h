// SPDX-License-Identifier: Apache-2.0
//
// MountReader: statvfs(3) of many mounts, where any of them may never answer (a file server that is gone). The calls
// are made on a thread of its own. A mount that does not answer within the limit is left to the thread that hangs on
// it, another thread goes on with the rest, and the mount is not asked again before that call has returned.
//
// The caller's thread waits, for at most kNewlyHung limits in one reading: what was not reached then has the error
// ETIMEDOUT, this time only. Threads that hang are at most kHung; they own what they touch, so that this object can go
// while they hang. read() and hung() belong to one thread.
#pragma once

#include <sys/statvfs.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace connscope::host {

struct MountSpace {
  struct statvfs values {};
  int error = 0;  ///< errno; ETIMEDOUT when the mount did not answer
};

class MountReader {
 public:
  /// As statvfs(3): 0, or -1 with errno. Called on threads of this class, which may outlive it.
  using Call = std::function<int(const char* path, struct statvfs* values)>;
  using Paths = std::shared_ptr<const std::vector<std::string>>;
  static constexpr std::size_t kNewlyHung = 3;
  static constexpr std::size_t kHung = 32;

  MountReader(Call call, std::chrono::milliseconds limit);
  MountReader(const MountReader&) = delete;
  MountReader& operator=(const MountReader&) = delete;
  ~MountReader();

  /// One result a path, in their order; valid until the next call.
  const std::vector<MountSpace>& read(const Paths& paths);
  /// How often a mount did not answer in time.
  [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }

 private:
  struct Worker;

  void forget_returned();
  [[nodiscard]] std::vector<bool> hung_among(const std::vector<std::string>& paths) const;
  /// Lets a worker read from `first` on; the index at which it hangs, or the number of paths.
  std::size_t read_from(std::size_t first, const Paths& paths, const std::vector<bool>& skipped);

  Call call_;
  std::chrono::milliseconds limit_;
  std::shared_ptr<Worker> worker_;                       // idle between readings; made when needed
  std::map<std::string, std::shared_ptr<Worker>> hung_;  // by the path that they wait for
  std::vector<MountSpace> spaces_;
  std::uint64_t timeouts_ = 0;
};

}  // namespace connscope::host
