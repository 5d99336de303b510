// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/mapped_libraries.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "agent/base/take_until.h"
#include "agent/probe/processes.h"

namespace connscope::probe {
namespace {

/// One that has just been executed may not have its libraries yet; one that is linked statically never will.
constexpr int kReads = 3;

/// Takes the first word of `line`, and the blanks after it, off it.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return word;
}

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  const bool has_it = text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
  return has_it ? text.substr(0, text.size() - suffix.size()) : text;
}

bool is_regular_file(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// Links in `path` lead within that root directory, not into ours (glibc has no wrapper for openat2).
UniqueFd open_in_root(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

}  // namespace

/*
 * proc_pid_maps(5): range, permissions, offset, device, inode, path. Most lines are of no interest, so what tells that
 * most cheaply is looked at first.
 */
std::vector<Mapping> mappings_in(std::string_view maps, const std::function<bool(std::string_view)>& wanted) {
  std::vector<Mapping> found;
  while (!maps.empty()) {
    std::string_view line = take_until(maps, '\n');
    const std::size_t slash = line.rfind('/');
    if (slash == std::string_view::npos || !wanted(without_suffix(line.substr(slash + 1), " (deleted)"))) continue;
    const std::string_view range = take_word(line);
    const std::string_view permissions = take_word(line);
    take_word(line);
    const std::string_view device = take_word(line);
    const std::string_view inode = take_word(line);
    if (permissions.find('x') == std::string_view::npos || line.empty() || line.front() != '/') continue;
    Mapping mapping{{std::string(device), 0}, {}, std::string(range), std::string(without_suffix(line, " (deleted)"))};
    std::from_chars(inode.data(), inode.data() + inode.size(), mapping.file.inode);
    const bool is_known =
        std::any_of(found.begin(), found.end(), [&](const Mapping& known) { return known.file == mapping.file; });
    if (!is_known) found.push_back(std::move(mapping));
  }
  return found;
}

MappedLibraries::MappedLibraries(Wanted wanted, std::string procfs)
    : wanted_(std::move(wanted)), procfs_(std::move(procfs)) {}

MappedLibraries::Process* MappedLibraries::process_of(int directory, const std::string& process, std::uint64_t entry) {
  struct stat exe {};
  // Kernel threads have none, and zombies have none any more.
  if (::fstatat(directory, (process + "/exe").c_str(), &exe, 0) != 0) return nullptr;
  Process& known = processes_[process];
  if (known.entry != entry || known.exe_device != exe.st_dev || known.exe_inode != exe.st_ino)
    known = {entry, exe.st_dev, exe.st_ino, {}, kReads, 0};
  known.look = look_;
  return &known;
}

void MappedLibraries::keep_mappings(Process& known, const std::string& process, std::string_view maps) const {
  known.mappings = mappings_in(maps, wanted_);
  for (Mapping& mapping : known.mappings) mapping.process = process;
  if (!known.mappings.empty()) known.reads_left = 0;
}

void MappedLibraries::read_if_new(int directory, const std::string& process, std::uint64_t entry,
                                  std::size_t& reads_left) {
  Process* const known = process_of(directory, process, entry);
  if (known == nullptr || known->reads_left == 0) return;
  if (reads_left == 0) {
    is_complete_ = false;
    return;
  }
  --reads_left;
  --known->reads_left;
  const auto maps = read_maps(procfs_, process);
  if (maps) keep_mappings(*known, process, *maps);  // or it is gone, or not to be looked at
}

std::vector<Mapping> MappedLibraries::look_at(const ProcessNews& news) {
  struct stat folder {};
  const UniqueFd directory(::open(procfs_.c_str(), O_PATH | O_CLOEXEC));
  if (!directory || ::fstatat(directory.get(), news.process.c_str(), &folder, 0) != 0) return {};
  Process* const known = process_of(directory.get(), news.process, folder.st_ino);
  if (known == nullptr) return {};
  keep_mappings(*known, news.process, news.maps);
  std::vector<Mapping> offered;
  for (const Mapping& mapping : known->mappings)
    if (taken_up_.count(mapping.file) == 0) offered.push_back(mapping);
  return offered;
}

std::vector<MappedFile> MappedLibraries::files_of(const std::string& process) const {
  std::vector<MappedFile> files;
  const auto known = processes_.find(process);
  if (known == processes_.end()) return files;
  for (const Mapping& mapping : known->second.mappings) files.push_back(mapping.file);
  return files;
}

Result<MappedLibraries::Look> MappedLibraries::look(std::size_t max_reads) {
  ++look_;
  is_complete_ = true;
  const auto visited = for_each_process(procfs_, [&](int directory, const dirent& entry) {
    read_if_new(directory, entry.d_name, entry.d_ino, max_reads);
  });
  if (!visited) return visited.error();

  Look look;
  std::map<MappedFile, const Mapping*> mapped;
  for (auto process = processes_.begin(); process != processes_.end();) {
    if (process->second.look != look_) {
      process = processes_.erase(process);
      continue;
    }
    for (const Mapping& mapping : process->second.mappings) mapped.emplace(mapping.file, &mapping);
    ++process;
  }
  for (const auto& [file, mapping] : mapped)
    if (taken_up_.count(file) == 0) look.offered.push_back(*mapping);
  // Somebody who has not been read yet may have it.
  for (auto file = taken_up_.begin(); is_complete_ && file != taken_up_.end();) {
    if (mapped.count(*file) != 0) {
      ++file;
      continue;
    }
    look.gone.push_back(*file);
    file = taken_up_.erase(file);
  }
  return look;
}

Result<UniqueFd> MappedLibraries::open(const Mapping& mapping) const {
  auto opened = open_of(mapping);
  if (opened || !has_ended(opened.error())) return opened;
  for (const auto& [name, process] : processes_) {
    for (const Mapping& other : process.mappings) {
      if (other.file != mapping.file) continue;
      if (auto another = open_of(other)) return another;
    }
  }
  return opened;
}

Result<UniqueFd> MappedLibraries::open_of(const Mapping& mapping) const {
  const std::string folder = procfs_ + "/" + mapping.process;
  UniqueFd file(::open((folder + "/map_files/" + mapping.range).c_str(), O_RDONLY | O_CLOEXEC));
  if (file) return file;
  const int refusal = errno;
  const UniqueFd root(::open((folder + "/root").c_str(), O_PATH | O_CLOEXEC));
  const UniqueFd place = root ? open_in_root(root.get(), mapping.path) : UniqueFd();
  // Anything may lie there by now; a pipe would be waited for, and a device would be touched.
  if (!place || !is_regular_file(place.get())) return Error::from_errno(mapping.path, refusal);
  file.reset(::open(("/proc/self/fd/" + std::to_string(place.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error::from_errno(mapping.path, errno);
  return file;
}

}  // namespace connscope::probe
