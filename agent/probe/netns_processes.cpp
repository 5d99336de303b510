// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/netns_processes.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "agent/base/file.h"
#include "agent/probe/processes.h"

namespace connscope::probe {
namespace {

constexpr const char* kSelf = "self";

/// The inode number of a process's network namespace; 0 when it is gone or may not be looked at.
std::uint32_t netns_of(const std::string& folder) {
  struct stat status {};
  return ::stat((folder + "/ns/net").c_str(), &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

}  // namespace

NetnsProcesses::NetnsProcesses(std::uint32_t own, std::string procfs) : procfs_(std::move(procfs)) {
  processes_[own] = kSelf;
}

Result<std::string> NetnsProcesses::read_of(const std::string& process, std::uint32_t netns,
                                            const std::string& name) const {
  const std::string folder = procfs_ + "/" + process;
  auto text = read_file(folder + "/net/" + name);
  // Looked at afterwards: the number of a process that has ended may be another's.
  if (text && netns_of(folder) != netns) return Error("process " + process + " lives elsewhere by now");
  return text;
}

Result<std::string> NetnsProcesses::read(std::uint32_t netns, const std::string& name, Time now) {
  const auto known = processes_.find(netns);
  if (known != processes_.end()) {
    auto text = read_of(known->second, netns, name);
    if (text || known->second == kSelf) return text;
    processes_.erase(known);
  }
  const bool scans = now - last_scan_ >= kScanInterval;
  if (scans) scan(now);
  const auto found = processes_.find(netns);
  if (found == processes_.end())
    return Error("no process is known in network namespace " + std::to_string(netns), scans ? ENOENT : EAGAIN);
  return read_of(found->second, netns, name);
}

void NetnsProcesses::scan(Time now) {
  last_scan_ = now;
  // A proc that cannot be read has no process to ask, which whoever asks is told.
  (void)for_each_process(procfs_, [this](int /*directory*/, const dirent& entry) {
    const std::string process = entry.d_name;
    if (const std::uint32_t netns = netns_of(procfs_ + "/" + process); netns != 0) processes_.emplace(netns, process);
  });
}

}  // namespace connscope::probe
