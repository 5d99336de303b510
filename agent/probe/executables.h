// SPDX-License-Identifier: Apache-2.0
//
// Executables: what the processes of this host execute, where it holds something that is looked for in the file itself,
// as a library that was linked into it. A file is looked into once, as long as anybody runs it; one that replaced it is
// another file. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/probe/program_files.h"

namespace connscope::probe {

class Executables final : public ProgramFiles {
 public:
  /// Looks into an open file.
  using Wanted = std::function<bool(int fd)>;
  explicit Executables(Wanted wanted, std::string procfs = "/proc")
      : wanted_(std::move(wanted)), procfs_(std::move(procfs)) {}

  Result<FileLook> look(std::size_t max_reads) override;
  std::vector<Mapping> look_at(const ProcessNews& news) override;
  [[nodiscard]] std::vector<MappedFile> files_of(const std::string& process) const override;
  void take_up(const MappedFile& file) override { taken_up_.insert(file); }
  [[nodiscard]] Result<UniqueFd> open(const Mapping& mapping) const override;

 private:
  struct File {
    std::string process;  ///< one of those that run it
    bool is_read = false;
    bool is_wanted = false;
  };
  using Files = std::map<MappedFile, File>;
  /// What is executed now, with what is known of it.
  [[nodiscard]] Result<Files> list() const;
  void read(const MappedFile& name, File& file) const;
  /// The file as any process runs it; invalid when none does.
  [[nodiscard]] UniqueFd open_of_another(const MappedFile& wanted) const;
  [[nodiscard]] Mapping mapping_of(const MappedFile& file, const std::string& process) const;

  Wanted wanted_;
  std::string procfs_;
  Files files_;
  std::set<MappedFile> taken_up_;
};

}  // namespace connscope::probe
