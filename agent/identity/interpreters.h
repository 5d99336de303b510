// SPDX-License-Identifier: Apache-2.0
//
// What interpreters run: a python, node, java, ruby, perl, php or shell is seldom what somebody wants to see, but its
// script, module, main class or jar is. Here are the tables of interpreters and their options, which the kernel half
// is given too, and the same parser for processes that were there before the agent. A process's command line is read
// as it was at exec; code that is given in it (-c, -e) has no name. Pure functions; any thread.
// Source: the manual pages of the interpreters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agent/config/document.h"
#include "bpf/process/program.h"

namespace connscope::identity {

struct Interpreter {
  std::string_view stem;  ///< its executable's name without a version
  interpreter which;
};

struct InterpreterOption {
  interpreter which;
  std::string_view name;
  option_meaning meaning;
};

[[nodiscard]] std::span<const Interpreter> interpreters();
[[nodiscard]] std::span<const InterpreterOption> interpreter_options();

/// As the kernel half's maps have them.
[[nodiscard]] interpreter_name key_of(const Interpreter& entry);
[[nodiscard]] option_key key_of(const InterpreterOption& entry);

/// `executable` is a file name without folders: "python3.11". INTERPRETER_NONE for what is none.
[[nodiscard]] interpreter interpreter_of(std::string_view executable);

/// What `which` runs by `arguments`, which are as in /proc/PID/cmdline. Nothing when that has no name.
[[nodiscard]] std::optional<identity_program> program_of(interpreter which, std::string_view arguments);

/// The program's name as a prefix: without the extension of its language. Empty for what names nothing: "." or the
/// number of a descriptor.
[[nodiscard]] std::string_view program_prefix(std::string_view program);

/// `interpreters` of [identity]: true, false, or a list of languages. Bits by `interpreter`; problems go to the
/// document.
[[nodiscard]] std::uint32_t parse_interpreters(const config::Section& section);

}  // namespace connscope::identity
