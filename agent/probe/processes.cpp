// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/processes.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

namespace connscope::probe {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status for_each_process(const std::string& procfs,
                        const std::function<void(int directory, const dirent& entry)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(procfs.c_str()), ::closedir);
  if (!directory) return Error::from_errno(procfs, errno);
  while (const dirent* entry = ::readdir(directory.get()))
    if (is_number(entry->d_name)) visit(::dirfd(directory.get()), *entry);
  return {};
}

}  // namespace connscope::probe
