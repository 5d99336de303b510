// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an interpreter's command line; the first one says which interpreter. What is found is a part of what was
// given, has its own hash, is the same when options that say nothing are put before it, and fits into its room.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/identity/interpreters.h"
#include "bpf/include/fnv.h"

namespace {

using namespace std::string_view_literals;

void require(bool holds) {
  if (!holds) std::abort();
}

void judge(const identity_program& program, std::string_view arguments) {
  const std::string_view name(program.name);  // its NUL is within the room, or the sanitizer says so
  require(!name.empty() && name.size() < PROGRAM_NAME_BYTES);
  require(arguments.find(name) != std::string_view::npos);
  require(name.find('/') == std::string_view::npos || name.find_first_not_of('/', name.find('/')) == name.npos);
  require(program.hash == fnv1a(program.name, static_cast<__u32>(name.size()) + 1, PROGRAM_NAME_BYTES));
  require(program.interpreter > INTERPRETER_NONE && program.interpreter < INTERPRETERS);
  require(connscope::identity::program_prefix(name).size() <= name.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto which = static_cast<interpreter>(1 + data[0] % (INTERPRETERS - 1));
  const std::string arguments(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto program = connscope::identity::program_of(which, arguments);
  if (program) judge(*program, arguments);
  (void)connscope::identity::interpreter_of(arguments);
  if (which == INTERPRETER_BUSYBOX) return 0;
  // A flag behind argv[0] changes nothing.
  const std::size_t first = arguments.find('\0');
  if (first == std::string::npos) return 0;
  std::string with_flag = arguments;
  with_flag.insert(first + 1, "--connscope-flag\0"sv);
  const auto again = connscope::identity::program_of(which, with_flag);
  require(again.has_value() == program.has_value());
  if (program) require(again->hash == program->hash && std::string_view(again->name) == program->name);
  return 0;
}
