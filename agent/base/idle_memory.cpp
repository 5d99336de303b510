// SPDX-License-Identifier: Apache-2.0
#include "agent/base/idle_memory.h"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope {
namespace {

constexpr std::uint64_t kOfFile = std::uint64_t{1} << 61U;  // in an entry of pagemap: the page is the file's own
constexpr std::size_t kEntries = 512;

struct Pages {
  int pagemap;
  std::uintptr_t size;
};

/// Gives back the pages from `begin` that are the file's own, and says where it has come to. A page that has a uprobe's
/// breakpoint is a copy: without it, what this process does there would not be seen any more.
std::uintptr_t release_run(const Pages& pages, std::uintptr_t begin, std::uintptr_t end) {
  std::array<std::uint64_t, kEntries> entries{};
  const std::size_t wanted = std::min<std::size_t>((end - begin) / pages.size, kEntries);
  const auto place = static_cast<off_t>(begin / pages.size * sizeof entries[0]);
  const ssize_t got = ::pread(pages.pagemap, entries.data(), wanted * sizeof entries[0], place);
  if (got <= 0) return end;
  const auto known = entries.begin() + got / static_cast<ssize_t>(sizeof entries[0]);
  const bool is_of_file = (entries[0] & kOfFile) != 0;
  const auto run_end =
      std::find_if(entries.begin(), known, [=](std::uint64_t entry) { return ((entry & kOfFile) != 0) != is_of_file; });
  const std::uintptr_t next = begin + static_cast<std::uintptr_t>(run_end - entries.begin()) * pages.size;
  if (is_of_file) ::madvise(reinterpret_cast<void*>(begin), next - begin, MADV_DONTNEED);
  return next;
}

/// Only of segments that nobody can write: what is in them is in the file.
void release_segment(const Pages& pages, const dl_phdr_info& object, const ElfW(Phdr) & segment) {
  if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) return;
  const std::uintptr_t page = ~(pages.size - 1);
  const std::uintptr_t end = (object.dlpi_addr + segment.p_vaddr + segment.p_filesz + pages.size - 1) & page;
  for (std::uintptr_t at = (object.dlpi_addr + segment.p_vaddr) & page; at < end;) at = release_run(pages, at, end);
}

/// The headers lie in the first segment: reading them after that was released would bring its pages back.
int release_object(dl_phdr_info* object, std::size_t /*size*/, void* pages) {
  const std::vector<ElfW(Phdr)> segments(object->dlpi_phdr, object->dlpi_phdr + object->dlpi_phnum);
  for (const ElfW(Phdr) & segment : segments) release_segment(*static_cast<const Pages*>(pages), *object, segment);
  return 0;
}

/// The lowest address of this thread's stack; 0 when it is not known.
std::uintptr_t end_of_stack() {
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return 0;
  void* end = nullptr;
  std::size_t size = 0;
  const int outcome = ::pthread_attr_getstack(&attributes, &end, &size);
  ::pthread_attr_destroy(&attributes);
  return outcome == 0 ? reinterpret_cast<std::uintptr_t>(end) : 0;
}

}  // namespace

void release_idle_memory() {
  ::malloc_trim(0);
  const UniqueFd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap) return;
  Pages pages{pagemap.get(), static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE))};
  ::dl_iterate_phdr(release_object, &pages);
}

void release_idle_stack() {
  thread_local const std::uintptr_t end = end_of_stack();
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  constexpr std::uintptr_t kOurs = 2048;  // more than this frame, and that of what it calls, take
  const std::uintptr_t begin = (here - kOurs) & ~(page - 1);
  if (end != 0 && end < begin) ::madvise(reinterpret_cast<void*>(end), begin - end, MADV_DONTNEED);
}

bool IdleMemory::release_when_due(Time now) {
  const Time::duration interval = has_settled_ ? Time::duration(kInterval) : Time::duration(kSettled);
  if (last_ && now - *last_ < interval) return false;
  has_settled_ = last_.has_value();
  last_ = now;
  release_idle_memory();
  return true;
}

}  // namespace connscope
