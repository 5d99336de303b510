// SPDX-License-Identifier: Apache-2.0
//
// ProgramFiles: files whose code the processes of this host run, of one kind: some shared libraries, or some
// executables. A look finds those that are new or gone; who works on them takes them up. A look at one process alone
// finds what is new there at once, and costs next to nothing.
#pragma once

#include <cerrno>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

/// A file as a process has it.
struct MappedFile {
  std::string device;  ///< "fe:01"
  std::uint64_t inode = 0;
  std::int64_t changed_ns = 0;  ///< of an executable: its number may be another file's by now
  auto operator<=>(const MappedFile&) const = default;
};

/// Where a process has it.
struct Mapping {
  MappedFile file;
  std::string process;  ///< folder name in procfs
  std::string range;    ///< "7f0…-7f1…", file name in map_files; empty for an executable
  std::string path;     ///< in the process's root directory
};

struct FileLook {
  /// Run now, and not taken up (`take_up`) so far. Each file once.
  std::vector<Mapping> offered;
  /// Taken up, and run by nobody any more. Forgotten with this look.
  std::vector<MappedFile> gone;
};

/// Whether that is how opening fails when the process has ended.
inline bool has_ended(const Error& error) { return error.code() == ENOENT || error.code() == ESRCH; }

/// A process that may run what it did not when it was looked at last.
struct ProcessNews {
  std::string process;  ///< folder name in procfs
  std::string maps;     ///< its /proc/PID/maps, which is read once for all who look
};

class ProgramFiles {
 public:
  ProgramFiles() = default;
  virtual ~ProgramFiles() = default;
  ProgramFiles(const ProgramFiles&) = delete;
  ProgramFiles& operator=(const ProgramFiles&) = delete;

  /// Looks at all processes, and more closely at no more than `max_reads` of what is new; the rest is left for the next
  /// look.
  virtual Result<FileLook> look(std::size_t max_reads) = 0;
  /// Looks at one process: what it runs that was not taken up so far.
  virtual std::vector<Mapping> look_at(const ProcessNews& news) = 0;
  /// What that process runs, as far as it has been looked at.
  [[nodiscard]] virtual std::vector<MappedFile> files_of(const std::string& process) const = 0;
  /// Is not offered again while it is run.
  virtual void take_up(const MappedFile& file) = 0;
  /// Opens the file itself, be it deleted or hidden by another mount; as another process has it, when that one has
  /// ended since the look.
  [[nodiscard]] virtual Result<UniqueFd> open(const Mapping& mapping) const = 0;
};

}  // namespace connscope::probe
