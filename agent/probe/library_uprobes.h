// SPDX-License-Identifier: Apache-2.0
//
// LibraryUprobes: programs on functions of shared libraries, in each copy of these that a process of this host has
// mapped: that of the host, those of containers, and older ones that were deleted since. A copy is found by looking at
// the processes now and then, is taken when it is mapped, and is given back when nobody maps it any more, since a link
// keeps its file system in use. The collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/elf_functions.h"
#include "agent/probe/mapped_libraries.h"
#include "agent/probe/probe.h"
#include "agent/probe/uprobe.h"

namespace connscope::probe {

/// A program, and the functions that it hangs on; one that a library lacks is left out there.
struct LibraryProgram {
  bpf_program* program = nullptr;
  bool at_return = false;
  std::vector<std::string> functions;
};

class LibraryUprobes {
 public:
  /// At most `limit` copies at once: each costs some descriptors, and a page of each process for each probed page.
  LibraryUprobes(MappedLibraries::Wanted wanted, std::size_t limit, std::string procfs = "/proc")
      : mapped_(std::move(wanted), std::move(procfs)), limit_(limit) {}

  /// The programs of a loaded object. They are hung in that order: put what must be there before others first. Raises
  /// the process's limit of descriptors by what they may take.
  void set_programs(std::vector<LibraryProgram> programs, UprobeWay way);
  /// Looks for copies that are new or gone; reads the maps of at most `max_reads` new processes.
  Status look(std::size_t max_reads);
  void detach();

  /// Copies that the programs hang in.
  [[nodiscard]] std::size_t attached() const;
  [[nodiscard]] std::size_t limit() const { return limit_; }
  /// The copies without, and why; the path is that of its process. What is too much to be shown one by one is summed
  /// up.
  [[nodiscard]] std::vector<HookStatus> problems() const;

 private:
  /// The file whatever it is called: of an overlay that several containers have, each names a device of its own, but
  /// the kernel hangs programs on the one file below.
  using FileId = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t>;
  struct Library {
    std::vector<UprobeLink> links;
    std::string path;
    std::string problem;
    std::size_t users = 0;  ///< names that it is mapped under
  };
  static Result<FileId> identify(int file);
  void take_up(const Mapping& mapping);
  void give_back(const MappedFile& file);
  Library attach(int file, const std::string& path) const;
  [[nodiscard]] std::vector<std::string> functions() const;

  MappedLibraries mapped_;
  std::size_t limit_;
  std::vector<LibraryProgram> programs_;
  UprobeWay way_ = UprobeWay::kPerf;
  std::map<FileId, Library> libraries_;
  std::map<MappedFile, FileId> names_;
  std::size_t left_out_ = 0;
};

}  // namespace connscope::probe
