// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/library_uprobes.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "agent/probe/elf_calls.h"

namespace connscope::probe {
namespace {

/// Problems that are shown one by one.
constexpr std::size_t kShownProblems = 8;

/// A place that a program hangs on: its event and its link.
constexpr std::size_t kDescriptorsPerPlace = 2;
/// RET instructions of a function, and calls of one within its library, at a guess.
constexpr std::size_t kRets = 16;
constexpr std::size_t kCalls = 4;

std::size_t most_places(HangAt at) {
  if (at == HangAt::kRets) return kRets;
  return at == HangAt::kAfterCalls ? kCalls : 1;
}

std::int64_t ns_of(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

/// A process may begin with few descriptors and be allowed more. Where that is refused, the libraries beyond the limit
/// are named as problems.
void make_room_for_descriptors(std::size_t more) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max - limit.rlim_cur > more ? limit.rlim_cur + more : limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Two names may be those of one function.
void drop_repeated(std::vector<std::uint64_t>& offsets) {
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
}

}  // namespace

void LibraryUprobes::set_programs(std::vector<LibraryProgram> programs, UprobeWay way) {
  programs_ = std::move(programs);
  way_ = way;
  std::size_t places = 0;
  for (const LibraryProgram& program : programs_) places += program.functions.size() * most_places(program.at);
  make_room_for_descriptors(limit_ * places * kDescriptorsPerPlace);
}

Status LibraryUprobes::look(std::size_t max_reads) {
  left_out_ = 0;
  for (const auto& source : sources_)
    if (auto looked = look_through(*source, max_reads); !looked) return looked;
  return {};
}

void LibraryUprobes::look_at(const ProcessNews& news) {
  // What there is no room for is told of by the look at all processes.
  for (const auto& source : sources_)
    for (const Mapping& mapping : source->look_at(news)) take_up_if_room(*source, mapping);
}

Status LibraryUprobes::look_through(ProgramFiles& source, std::size_t max_reads) {
  const auto look = source.look(max_reads);
  if (!look) return look.error();
  for (const MappedFile& file : look->gone) give_back({&source, file});
  for (const Mapping& mapping : look->offered)
    if (!take_up_if_room(source, mapping)) ++left_out_;
  return {};
}

bool LibraryUprobes::take_up_if_room(ProgramFiles& source, const Mapping& mapping) {
  if (libraries_.size() >= limit_ || names_.size() >= 4 * limit_) return false;
  take_up(source, mapping);
  return true;
}

/// Overlays show their own device, but the number and the times of the file below; these two tell a copied one apart.
Result<LibraryUprobes::FileId> LibraryUprobes::identify(int file) {
  struct stat status {};
  struct statfs file_system {};
  if (::fstat(file, &status) != 0 || ::fstatfs(file, &file_system) != 0) return Error::from_errno("stat", errno);
  const bool is_overlay = file_system.f_type == OVERLAYFS_SUPER_MAGIC;
  return FileId{is_overlay ? 0 : status.st_dev, status.st_ino, ns_of(status.st_mtim), ns_of(status.st_ctim)};
}

void LibraryUprobes::take_up(ProgramFiles& source, const Mapping& mapping) {
  const auto file = source.open(mapping);
  if (!file && has_ended(file.error())) return;  // nobody runs it any more
  const auto id = file ? identify(file->get()) : Result<FileId>(file.error());
  const FileId key = id ? *id : FileId{0, mapping.file.inode, 0, 0};
  auto [known, is_new] = libraries_.try_emplace(key);
  if (is_new) {
    if (id) {
      known->second = attach(file->get(), mapping.path);
    } else {
      known->second.path = mapping.path;
      known->second.problem = id.error().message();
    }
  }
  ++known->second.users;
  names_[{&source, mapping.file}] = key;
  source.take_up(mapping.file);
}

void LibraryUprobes::give_back(const Name& name) {
  const auto known = names_.find(name);
  if (known == names_.end()) return;
  const auto library = libraries_.find(known->second);
  names_.erase(known);
  if (library != libraries_.end() && --library->second.users == 0) libraries_.erase(library);
}

std::vector<std::string> LibraryUprobes::functions() const {
  std::vector<std::string> names;
  for (const LibraryProgram& program : programs_)
    names.insert(names.end(), program.functions.begin(), program.functions.end());
  return names;
}

/// Where in the file a program has to hang for one function.
Result<UprobePlaces> LibraryUprobes::places_in(int file, const Function& function,
                                               const LibraryProgram& program) const {
  UprobePlaces places{program.fd, false, {}};
  if (program.at == HangAt::kAfterCalls) places.offsets = places_after_calls(file, function);
  if (!places.offsets.empty()) return places;
  const auto code = code_of(file, function);
  if (program.at == HangAt::kCheapEntry || program.at == HangAt::kRets) {
    if (!code) return code.error();
    const Result<std::vector<std::uint64_t>> offsets =
        program.at == HangAt::kRets ? return_offsets(*code) : std::vector{emulated_offset(*code, kind_.convention)};
    if (!offsets) return offsets.error();
    for (const std::uint64_t offset : *offsets) places.offsets.push_back(function.offset + offset);
    return places;
  }
  // The entry itself serves where its code cannot be read.
  places.offsets = {function.offset + (code ? tracked_entry_offset(*code) : 0)};
  places.at_return = program.at != HangAt::kEntry;
  return places;
}

Status LibraryUprobes::hang(int file, const Functions& functions, Library& library) const {
  for (const LibraryProgram& program : programs_) {
    std::array<UprobePlaces, 2> both = {UprobePlaces{program.fd, false, {}}, UprobePlaces{program.fd, true, {}}};
    for (const std::string& name : program.functions) {
      const auto found = functions.find(name);
      if (found == functions.end()) continue;
      for (const Function& function : found->second) {
        const auto places = places_in(file, function, program);
        if (!places) return places.error().context(name);
        auto& offsets = both[places->at_return ? 1 : 0].offsets;
        offsets.insert(offsets.end(), places->offsets.begin(), places->offsets.end());
      }
    }
    for (UprobePlaces& places : both) {
      drop_repeated(places.offsets);
      auto links = attach_uprobes(file, places, way_);
      if (!links) return links.error();
      std::move(links->begin(), links->end(), std::back_inserter(library.links));
    }
  }
  return {};
}

LibraryUprobes::Library LibraryUprobes::attach(int file, const std::string& path) const {
  Library library;
  library.path = path;
  const auto found = kind_.find(file, functions());
  if (!found || found->empty()) {
    library.problem = found ? "it has none of the functions" : found.error().message();
    return library;
  }
  if (auto hung = hang(file, *found, library); !hung) {
    library.problem = hung.error().message();
    library.links.clear();
    return library;
  }
  if (kind_.version) library.version = kind_.version(file, path);
  return library;
}

void LibraryUprobes::detach() {
  for (auto& [id, library] : libraries_) library.links.clear();
}

std::vector<LibraryUprobes::Copy> LibraryUprobes::copies() const {
  std::vector<Copy> copies;
  for (const auto& [id, library] : libraries_)
    if (!library.links.empty()) copies.push_back({library.path, library.version});
  return copies;
}

bool LibraryUprobes::hang_in(const std::string& process) const {
  for (const auto& source : sources_) {
    for (const MappedFile& file : source->files_of(process)) {
      const auto name = names_.find({source.get(), file});
      if (name != names_.end() && !libraries_.at(name->second).links.empty()) return true;
    }
  }
  return false;
}

std::size_t LibraryUprobes::attached() const {
  return static_cast<std::size_t>(std::count_if(libraries_.begin(), libraries_.end(),
                                                [](const auto& library) { return !library.second.links.empty(); }));
}

std::vector<HookStatus> LibraryUprobes::problems() const {
  std::vector<HookStatus> shown;
  std::size_t more = 0;
  for (const auto& [id, library] : libraries_) {
    if (library.problem.empty()) continue;
    if (shown.size() < kShownProblems) {
      shown.push_back({"", library.path, library.problem, ""});
    } else {
      ++more;
    }
  }
  if (more > 0) shown.push_back({"", "libraries", std::to_string(more) + " more with problems", ""});
  if (left_out_ > 0)
    shown.push_back(
        {"", "libraries",
         std::to_string(left_out_) + " more are run than the " + std::to_string(limit_) + " that it has room for", ""});
  return shown;
}

}  // namespace connscope::probe
