// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an executable that a container may run: whatever is looked for in it lies within its code, or nothing is
// found.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/probe/elf_calls.h"
#include "agent/probe/elf_functions.h"
#include "agent/probe/go_build.h"
#include "agent/probe/go_functions.h"
#include "agent/probe/library_version.h"
#include "agent/probe/x86_code.h"

namespace {

using namespace connscope;
using namespace connscope::probe;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(int fd, const Result<Functions>& found) {
  if (!found) return;
  for (const auto& [name, functions] : *found) {
    for (const Function& function : functions) {
      const auto code = code_of(fd, function);
      if (!code) continue;
      require(code->size() == function.size);
      const std::uint64_t cheap = emulated_offset(*code, CallingConvention::kGo);
      require(cheap == 0 || cheap < code->size());
      if (const auto returns = return_offsets(*code))
        for (const std::uint64_t at : *returns) require(at < code->size());
      const auto file_size = ::lseek(fd, 0, SEEK_END);
      for (const std::uint64_t at : places_after_calls(fd, function))
        require(at < static_cast<std::uint64_t>(file_size));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const UniqueFd file(::memfd_create("executable", MFD_CLOEXEC));
  require(file && ::write(file.get(), data, size) == static_cast<ssize_t>(size));
  const std::vector<std::string> names = {"one", "two"};
  check(file.get(), functions_in(file.get(), names));
  check(file.get(), go_functions_in(file.get(), names));
  require(go_version_of(file.get()).size() < 128);
  require(version_in_text(file.get(), "OpenSSL ").size() <= 32);
  return 0;
}
