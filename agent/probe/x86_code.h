// SPDX-License-Identifier: Apache-2.0
//
// Where in x86-64 machine code a uprobe should sit: at a function's returns, where the return address must stay as it
// is (Go's stacks move, so uretprobes break its programs); behind its calls; and at an instruction that the kernel
// emulates, which costs half a microsecond a hit, when single-stepping any other costs over ten on some machines. The
// bytes may be anything. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/result.h"

namespace connscope::probe {

/// Who passes the arguments, and so in which registers they are when a function begins.
enum class CallingConvention { kSystemV, kGo };

/// Offsets of the RET instructions of a whole function. An error when its bytes are not code from end to end, as no
/// probe may be put within an instruction.
[[nodiscard]] Result<std::vector<std::uint64_t>> return_offsets(std::span<const std::uint8_t> code);

/// The offset of the first instruction that every supported kernel emulates under a uprobe, that each call of the
/// function comes to once, and that finds the arguments still in their registers; 0, the entry, when there is none. The
/// stack pointer may have moved by then, so this is no place for a uretprobe, nor for arguments on the stack.
[[nodiscard]] std::uint64_t emulated_offset(std::span<const std::uint8_t> code, CallingConvention convention);

/// The offset of the instruction behind the ENDBR64 that a function begins with where branches are tracked, if every
/// supported kernel emulates that one and each call comes to it once; else 0. Registers and stack are as at the entry,
/// so it serves uretprobes too.
[[nodiscard]] std::uint64_t tracked_entry_offset(std::span<const std::uint8_t> code);

/// Where each call of the function at `callee` can be seen to have returned: the offset of the first instruction behind
/// it that every supported kernel emulates, while EAX and the registers that calls preserve are as the call left them;
/// of the one right behind it when there is none. `callee` counts from the code's begin, and may lie outside, before it
/// too (modulo 2^64). Nothing when such a place may be come to in another way as well, when something jumps to the
/// function instead of calling it, when the kernel takes no probe there, or when the bytes are not code from end to
/// end. System V convention.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> after_calls(std::span<const std::uint8_t> code,
                                                                    std::uint64_t callee);

}  // namespace connscope::probe
