// SPDX-License-Identifier: Apache-2.0
//
// LibraryUprobes: programs on functions of libraries, in each copy of these that a process of this host runs: shared
// ones, of the host and of containers, and older ones that were deleted since; and those that were linked into an
// executable. A copy is found by looking at the processes now and then, and at those that may have a new one when they
// do; it is taken when it is run, and is given back when nobody runs it any more, since a link keeps its file system in
// use. The collecting thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/elf_functions.h"
#include "agent/probe/probe.h"
#include "agent/probe/program_files.h"
#include "agent/probe/uprobe.h"
#include "agent/probe/x86_code.h"

namespace connscope::probe {

/// Where in a function a program hangs.
enum class HangAt {
  kEntry,       ///< where it is called
  kCheapEntry,  ///< the same where a hit costs least, for programs that read arguments in registers only
  kReturn,      ///< where it returns to its caller; not in Go's programs, whose stacks move
  kAfterCalls,  ///< the same where a hit costs least: behind its calls; as kReturn where these cannot be told for sure
  kRets,        ///< at each of its RET instructions
};

/// A program, and the functions that it hangs on; one that a library lacks is left out there.
struct LibraryProgram {
  std::string name;
  HangAt at = HangAt::kEntry;
  std::vector<std::string> functions;
  int fd = -1;  ///< of the loaded program, borrowed; LibraryHooks fills it in
};

/// What is looked for, and how.
struct LibraryKind {
  using Find = std::function<Result<Functions>(int fd, const std::vector<std::string>& names)>;
  using Version = std::function<std::string(int fd, const std::string& path)>;
  Find find = functions_in;
  CallingConvention convention = CallingConvention::kSystemV;
  Version version;          ///< of the library in that file, for people; may be empty
  bool speaks_tls = false;  ///< whether it shakes hands, and the programs tell what it says of that
};

class LibraryUprobes {
 public:
  /// At most `limit` copies at once: each costs some descriptors, and a page of each process for each probed page.
  using Sources = std::vector<std::unique_ptr<ProgramFiles>>;
  LibraryUprobes(Sources sources, std::size_t limit, LibraryKind kind = {})
      : sources_(std::move(sources)), limit_(limit), kind_(std::move(kind)) {}

  /// The programs of a loaded object. They are hung in that order: put what must be there before others first. Raises
  /// the process's limit of descriptors by what they may take.
  void set_programs(std::vector<LibraryProgram> programs, UprobeWay way);
  /// Looks for copies that are new or gone; looks into at most `max_reads` new processes or files.
  Status look(std::size_t max_reads);
  /// Looks for new ones in one process.
  void look_at(const ProcessNews& news);
  void detach();

  struct Copy {
    std::string path;  ///< that of its process
    std::string version;
  };
  /// Those that the programs hang in.
  [[nodiscard]] std::vector<Copy> copies() const;
  /// Whether they hang in what that process runs, as far as it has been looked at.
  [[nodiscard]] bool hang_in(const std::string& process) const;
  [[nodiscard]] const LibraryKind& kind() const { return kind_; }
  /// How many these are.
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
    std::vector<ProgramLink> links;
    std::string path;
    std::string version;
    std::string problem;
    std::size_t users = 0;  ///< names that it is run under
  };
  static Result<FileId> identify(int file);
  /// A file as one of the sources names it.
  using Name = std::pair<const ProgramFiles*, MappedFile>;
  Status look_through(ProgramFiles& source, std::size_t max_reads);
  /// False: there is no room for it.
  bool take_up_if_room(ProgramFiles& source, const Mapping& mapping);
  void take_up(ProgramFiles& source, const Mapping& mapping);
  void give_back(const Name& name);
  Library attach(int file, const std::string& path) const;
  Status hang(int file, const Functions& functions, Library& library) const;
  [[nodiscard]] Result<UprobePlaces> places_in(int file, const Function& function, const LibraryProgram& program) const;
  [[nodiscard]] std::vector<std::string> functions() const;

  Sources sources_;
  std::size_t limit_;
  LibraryKind kind_;
  std::vector<LibraryProgram> programs_;
  UprobeWay way_ = UprobeWay::kPerf;
  std::map<FileId, Library> libraries_;
  std::map<Name, FileId> names_;
  std::size_t left_out_ = 0;
};

}  // namespace connscope::probe
