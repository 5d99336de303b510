// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/library_watch.h"

#include <algorithm>

#include "agent/probe/library_hooks.h"
#include "agent/probe/processes.h"
#include "agent/probe/program_files.h"

namespace connscope::probe {

void LibraryWatch::enter(LibraryHooks& hooks) { hooks_.push_back(&hooks); }

void LibraryWatch::leave(const LibraryHooks& hooks) {
  hooks_.erase(std::remove(hooks_.begin(), hooks_.end(), &hooks), hooks_.end());
}

bool LibraryWatch::look_at(std::uint32_t process) {
  ProcessNews news{std::to_string(process), {}};
  auto maps = read_maps(procfs_, news.process);
  if (!maps) return false;
  news.maps = std::move(*maps);
  for (LibraryHooks* const each : hooks_) each->look_at(news);
  return true;
}

bool LibraryWatch::hears_tls() const {
  return std::any_of(hooks_.begin(), hooks_.end(),
                     [](const LibraryHooks* each) { return each->uprobes().kind().speaks_tls; });
}

bool LibraryWatch::hears_tls_of(std::uint32_t process) const {
  const std::string name = std::to_string(process);
  return std::any_of(hooks_.begin(), hooks_.end(), [&](const LibraryHooks* each) {
    return each->uprobes().kind().speaks_tls && each->uprobes().hang_in(name);
  });
}

}  // namespace connscope::probe
