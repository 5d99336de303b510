// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/executables.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "agent/probe/processes.h"

namespace connscope::probe {
namespace {

MappedFile file_of(const struct stat& status) {
  std::array<char, 32> device{};
  std::snprintf(device.data(), device.size(), "%02x:%02x", ::major(status.st_dev), ::minor(status.st_dev));
  return {device.data(), status.st_ino, std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

std::string link_text(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlink(link.c_str(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

Result<Executables::Files> Executables::list() const {
  Files files;
  const auto visited = for_each_process(procfs_, [&](int directory, const dirent& entry) {
    struct stat status {};
    const std::string process = entry.d_name;
    // Kernel threads have none, and zombies have none any more.
    if (::fstatat(directory, (process + "/exe").c_str(), &status, 0) != 0) return;
    const MappedFile file = file_of(status);
    const auto known = files_.find(file);
    File& listed = files.try_emplace(file, known == files_.end() ? File{} : known->second).first->second;
    listed.process = process;
  });
  if (!visited) return visited.error();
  return files;
}

void Executables::read(const MappedFile& name, File& file) const {
  const auto opened = open({name, file.process, {}, {}});
  if (!opened) return;  // nobody runs it any more
  file.is_read = true;
  file.is_wanted = wanted_(opened->get());
}

Result<FileLook> Executables::look(std::size_t max_reads) {
  auto files = list();
  if (!files) return files.error();
  files_ = std::move(*files);
  FileLook look;
  for (auto& [file, known] : files_) {
    if (!known.is_read && max_reads > 0) {
      --max_reads;
      read(file, known);
    }
    if (known.is_wanted && taken_up_.count(file) == 0) look.offered.push_back(mapping_of(file, known.process));
  }
  for (auto file = taken_up_.begin(); file != taken_up_.end();) {
    if (files_.count(*file) != 0) {
      ++file;
      continue;
    }
    look.gone.push_back(*file);
    file = taken_up_.erase(file);
  }
  return look;
}

Mapping Executables::mapping_of(const MappedFile& file, const std::string& process) const {
  return {file, process, {}, link_text(procfs_ + "/" + process + "/exe")};
}

std::vector<Mapping> Executables::look_at(const ProcessNews& news) {
  const auto files = files_of(news.process);
  if (files.empty()) return {};
  File& file = files_.try_emplace(files.front(), File{news.process}).first->second;
  file.process = news.process;
  if (!file.is_read) read(files.front(), file);
  if (!file.is_wanted || taken_up_.count(files.front()) != 0) return {};
  return {mapping_of(files.front(), news.process)};
}

std::vector<MappedFile> Executables::files_of(const std::string& process) const {
  struct stat status {};
  if (::stat((procfs_ + "/" + process + "/exe").c_str(), &status) != 0) return {};
  return {file_of(status)};
}

Result<UniqueFd> Executables::open(const Mapping& mapping) const {
  UniqueFd file(::open((procfs_ + "/" + mapping.process + "/exe").c_str(), O_RDONLY | O_CLOEXEC));
  if (file) return file;
  const Error refusal = Error::from_errno(mapping.path, errno);
  if (has_ended(refusal)) file = open_of_another(mapping.file);
  if (!file) return refusal;
  return file;
}

UniqueFd Executables::open_of_another(const MappedFile& wanted) const {
  UniqueFd found;
  (void)for_each_process(procfs_, [&](int directory, const dirent& entry) {
    struct stat status {};
    const std::string executable = std::string(entry.d_name) + "/exe";
    if (found || ::fstatat(directory, executable.c_str(), &status, 0) != 0 || file_of(status) != wanted) return;
    found.reset(::openat(directory, executable.c_str(), O_RDONLY | O_CLOEXEC));
  });
  return found;
}

}  // namespace connscope::probe
