// SPDX-License-Identifier: Apache-2.0
#include "agent/base/startup_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace connscope {
namespace {

/// Only of segments that nobody can write: what is in them is in the file.
void release_segment(const dl_phdr_info& object, const ElfW(Phdr) & segment) {
  if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = (object.dlpi_addr + segment.p_vaddr) & ~(page - 1);
  const std::uintptr_t end = object.dlpi_addr + segment.p_vaddr + segment.p_filesz;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

/// The first object is the program. Libraries are left alone: a uprobe's breakpoint in them is no part of the file.
int release_program(dl_phdr_info* program, std::size_t /*size*/, void* /*context*/) {
  for (int i = 0; i < program->dlpi_phnum; ++i) release_segment(*program, program->dlpi_phdr[i]);
  return 1;
}

}  // namespace

void release_startup_memory() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(release_program, nullptr);
}

}  // namespace connscope
