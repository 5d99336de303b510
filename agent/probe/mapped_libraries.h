// SPDX-License-Identifier: Apache-2.0
//
// MappedLibraries: which shared libraries of some names the processes of this host have mapped, whatever mount
// namespace they live in. A process is read once, as it maps its C library or its like when it starts; so a look costs
// a few system calls for each process that is known, and a read of /proc/PID/maps for each that is new. What maps one
// later is read again by look_at. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/probe/program_files.h"

namespace connscope::probe {

/// The mappings with code in a text like /proc/PID/maps whose file's name is wanted, one of each file. `process` stays
/// empty.
[[nodiscard]] std::vector<Mapping> mappings_in(std::string_view maps,
                                               const std::function<bool(std::string_view)>& wanted);

class MappedLibraries final : public ProgramFiles {
 public:
  /// Is told the last part of a path.
  using Wanted = std::function<bool(std::string_view name)>;
  /// `procfs` is where proc(5) is mounted.
  explicit MappedLibraries(Wanted wanted, std::string procfs = "/proc");

  using Look = FileLook;
  /// Looks at all processes, and into the maps of `max_reads` of those that are new; the rest is left for the next
  /// look.
  Result<Look> look(std::size_t max_reads) override;
  std::vector<Mapping> look_at(const ProcessNews& news) override;
  [[nodiscard]] std::vector<MappedFile> files_of(const std::string& process) const override;
  void take_up(const MappedFile& file) override { taken_up_.insert(file); }

  /// Opens the mapped file itself, be it deleted or hidden by another mount; where the agent may not (map_files wants
  /// CAP_CHECKPOINT_RESTORE), the file of that path in the process's root directory.
  [[nodiscard]] Result<UniqueFd> open(const Mapping& mapping) const override;

  [[nodiscard]] std::size_t processes() const { return processes_.size(); }

 private:
  /// One that has been read. Another one of its number has another entry in procfs, and what executes another file has
  /// other libraries.
  struct Process {
    std::uint64_t entry = 0;
    std::uint64_t exe_device = 0;
    std::uint64_t exe_inode = 0;
    std::vector<Mapping> mappings;
    int reads_left = 0;
    std::uint64_t look = 0;
  };
  /// That of the process that is named, no other's.
  [[nodiscard]] Result<UniqueFd> open_of(const Mapping& mapping) const;
  /// nullptr: it runs no program.
  Process* process_of(int directory, const std::string& process, std::uint64_t entry);
  void keep_mappings(Process& known, const std::string& process, std::string_view maps) const;
  void read_if_new(int directory, const std::string& process, std::uint64_t entry, std::size_t& reads_left);

  Wanted wanted_;
  std::string procfs_;
  std::unordered_map<std::string, Process> processes_;
  std::set<MappedFile> taken_up_;
  std::uint64_t look_ = 0;
  bool is_complete_ = true;
};

}  // namespace connscope::probe
