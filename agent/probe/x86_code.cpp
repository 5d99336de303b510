// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/x86_code.h"

#include <Zydis/Zydis.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace connscope::probe {
namespace {

/// Instructions of a prologue; whoever has none that is emulated among these has none in it.
constexpr int kPrologue = 8;

struct Instruction {
  std::uint64_t offset = 0;
  ZydisDecodedInstruction decoded{};
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands{};
};

/// The instructions of some code, one after the other.
class Sweep {
 public:
  explicit Sweep(std::span<const std::uint8_t> code) : code_(code) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  }
  /// Nothing at the end, and at bytes that are no instruction; is_at_end() tells which.
  std::optional<Instruction> next() {
    Instruction instruction;
    instruction.offset = at_;
    if (is_at_end() || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, code_.data() + at_, code_.size() - at_,
                                                            &instruction.decoded, instruction.operands.data())))
      return std::nullopt;
    at_ += instruction.decoded.length;
    return instruction;
  }
  [[nodiscard]] bool is_at_end() const { return at_ == code_.size(); }
  [[nodiscard]] std::uint64_t offset() const { return at_; }

 private:
  std::span<const std::uint8_t> code_;
  ZydisDecoder decoder_{};
  std::size_t at_ = 0;
};

/// Whether it may go on elsewhere than at the next instruction.
bool is_branch(const Instruction& instruction) {
  switch (instruction.decoded.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
      return true;
    default:
      return false;
  }
}

/// arch/x86/kernel/uprobes.c, as in Linux 5.10: branch_setup_xol_ops() and push_setup_xol_ops(). Nops of several bytes
/// are emulated by later kernels only.
bool is_emulated(const Instruction& instruction) {
  const ZydisDecodedInstruction& decoded = instruction.decoded;
  const std::uint8_t opcode = decoded.opcode;
  const bool has_prefix = decoded.raw.prefix_count > 0;
  if (decoded.opcode_map == ZYDIS_OPCODE_MAP_0F) return opcode >= 0x80 && opcode <= 0x8f && !has_prefix;
  if (decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT) return false;
  if (opcode >= 0x50 && opcode <= 0x57) {
    const bool is_rex_b = has_prefix && decoded.raw.prefix_count == 1 && decoded.raw.prefixes[0].value == 0x41;
    return !has_prefix || is_rex_b;
  }
  if (has_prefix) return false;
  return (opcode >= 0x70 && opcode <= 0x7f) || opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb || opcode == 0x90;
}

bool writes_one_of(const Instruction& instruction, std::span<const ZydisRegister> wanted) {
  for (std::size_t i = 0; i < instruction.decoded.operand_count; ++i) {
    const ZydisDecodedOperand& operand = instruction.operands[i];
    const bool is_written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    if (!is_written || operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand.reg.value);
    if (std::find(wanted.begin(), wanted.end(), whole) != wanted.end()) return true;
  }
  return false;
}

bool writes_argument(const Instruction& instruction, CallingConvention convention) {
  static constexpr std::array kSystemV = {ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDX,
                                          ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9};
  // The Go internal ABI; R14 is the running goroutine.
  static constexpr std::array kGo = {ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RCX, ZYDIS_REGISTER_RDI,
                                     ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_R8,  ZYDIS_REGISTER_R9,  ZYDIS_REGISTER_R10,
                                     ZYDIS_REGISTER_R11, ZYDIS_REGISTER_R14};
  return convention == CallingConvention::kGo ? writes_one_of(instruction, kGo) : writes_one_of(instruction, kSystemV);
}

/// The first one that is emulated, with no branch and nothing that `spoils` before it.
template <class Spoils>
std::optional<std::uint64_t> first_emulated(std::span<const std::uint8_t> code, Spoils spoils) {
  Sweep sweep(code);
  for (int i = 0; i < kPrologue; ++i) {
    const auto instruction = sweep.next();
    if (!instruction) return std::nullopt;
    if (is_emulated(*instruction)) return instruction->offset;
    if (is_branch(*instruction) || spoils(*instruction)) return std::nullopt;
  }
  return std::nullopt;
}

/// Where a jump leads to, in the same function or beyond.
std::optional<std::uint64_t> jump_target(const Instruction& instruction) {
  for (std::size_t i = 0; i < instruction.decoded.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = instruction.operands[i];
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative)
      return instruction.offset + instruction.decoded.length + operand.imm.value.u;
  }
  return std::nullopt;
}

/// A jump to somewhere behind the entry, up to `offset`: one call would come by more than once. Those to the entry
/// itself have to be lived with: so Go's functions begin anew with a larger stack.
bool is_jumped_over(std::span<const std::uint8_t> code, std::uint64_t offset) {
  Sweep sweep(code);
  while (const auto instruction = sweep.next()) {
    const auto target = jump_target(*instruction);
    if (target && *target > 0 && *target <= offset) return true;
  }
  return false;
}

// call and jmp with a displacement of 32 bits, and the second byte of jcc with one.
constexpr std::uint8_t kCall = 0xE8;
constexpr std::uint8_t kJump = 0xE9;
constexpr std::uint8_t kTwoBytes = 0x0F;

/// From where a call returns to, up to where a probe sees what it returned.
struct ReturnPlace {
  std::uint64_t returns_to = 0;
  std::uint64_t place = 0;
  bool is_call = false;  ///< there is an instruction that ends there, and it is a call
};

/// The bytes at `at` are what a jump by `displacement` would have, and lead to the callee.
bool leads_to(std::span<const std::uint8_t> code, std::size_t at, std::uint64_t callee) {
  std::int32_t displacement = 0;
  std::memcpy(&displacement, &code[at], sizeof(displacement));
  return at + sizeof(displacement) + static_cast<std::uint64_t>(std::int64_t{displacement}) == callee;
}

/// Whether it changes what a call has returned in EAX, or a register that tells of the caller. (CDQE widens EAX.)
bool spoils_return(const Instruction& instruction) {
  static constexpr std::array kWanted = {ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RBP,
                                         ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_R12, ZYDIS_REGISTER_R13,
                                         ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15};
  return instruction.decoded.mnemonic != ZYDIS_MNEMONIC_CDQE && writes_one_of(instruction, kWanted);
}

/// The kernel takes no probe on some instructions with a prefix, nor on vectors' (uprobe_init_insn() there).
bool is_plain(const Instruction& instruction) {
  const auto& raw = instruction.decoded.raw;
  const bool has_other_prefix = std::any_of(raw.prefixes, raw.prefixes + raw.prefix_count,
                                            [](const auto& prefix) { return (prefix.value & 0xF0) != 0x40; });
  return instruction.decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && !has_other_prefix;
}

std::optional<std::uint64_t> place_behind(std::span<const std::uint8_t> code, std::uint64_t returns_to) {
  if (const auto found = first_emulated(code.subspan(returns_to), spoils_return)) return returns_to + *found;
  const auto right_behind = Sweep(code.subspan(returns_to)).next();
  return right_behind && is_plain(*right_behind) ? std::optional(returns_to) : std::nullopt;
}

/// Bytes that look like calls of the callee. Nothing when others look like jumps there, which do not come back, or when
/// no probe may be put behind a call.
std::optional<std::vector<ReturnPlace>> likely_calls(std::span<const std::uint8_t> code, std::uint64_t callee) {
  std::vector<ReturnPlace> found;
  for (std::size_t at = 1; at + sizeof(std::int32_t) <= code.size(); ++at) {
    const std::uint8_t opcode = code[at - 1];
    const bool is_jcc = at > 1 && code[at - 2] == kTwoBytes && (opcode & 0xF0) == 0x80;
    if ((opcode != kCall && opcode != kJump && !is_jcc) || !leads_to(code, at, callee)) continue;
    const std::uint64_t returns_to = at + sizeof(std::int32_t);
    const auto place = opcode == kCall ? place_behind(code, returns_to) : std::nullopt;
    if (!place) return std::nullopt;
    found.push_back({returns_to, *place});
  }
  return found;
}

/// Whether all of them are calls indeed, and their places are come to from these alone.
bool are_all_certain(std::span<const std::uint8_t> code, std::vector<ReturnPlace>& calls) {
  Sweep sweep(code);
  while (const auto instruction = sweep.next()) {
    const auto target = jump_target(*instruction);
    if (!target) continue;
    for (ReturnPlace& call : calls) {
      if (*target >= call.returns_to && *target <= call.place) return false;
      if (sweep.offset() == call.returns_to) call.is_call = instruction->decoded.meta.category == ZYDIS_CATEGORY_CALL;
    }
  }
  return sweep.is_at_end() &&
         std::all_of(calls.begin(), calls.end(), [](const ReturnPlace& call) { return call.is_call; });
}

}  // namespace

Result<std::vector<std::uint64_t>> return_offsets(std::span<const std::uint8_t> code) {
  Sweep sweep(code);
  std::vector<std::uint64_t> found;
  while (const auto instruction = sweep.next())
    if (instruction->decoded.meta.category == ZYDIS_CATEGORY_RET) found.push_back(instruction->offset);
  if (!sweep.is_at_end()) return Error("no instruction at " + std::to_string(sweep.offset()) + " of the function");
  return found;
}

std::uint64_t emulated_offset(std::span<const std::uint8_t> code, CallingConvention convention) {
  const auto writes = [&](const Instruction& instruction) { return writes_argument(instruction, convention); };
  const std::uint64_t offset = first_emulated(code, writes).value_or(0);
  return offset > 0 && is_jumped_over(code, offset) ? 0 : offset;
}

std::uint64_t tracked_entry_offset(std::span<const std::uint8_t> code) {
  Sweep sweep(code);
  const auto first = sweep.next();
  if (!first || first->decoded.mnemonic != ZYDIS_MNEMONIC_ENDBR64) return 0;
  const auto second = sweep.next();
  return second && is_emulated(*second) && !is_jumped_over(code, second->offset) ? second->offset : 0;
}

std::optional<std::vector<std::uint64_t>> after_calls(std::span<const std::uint8_t> code, std::uint64_t callee) {
  auto calls = likely_calls(code, callee);
  if (!calls || (!calls->empty() && !are_all_certain(code, *calls))) return std::nullopt;
  std::vector<std::uint64_t> places;
  places.reserve(calls->size());
  for (const ReturnPlace& call : *calls) places.push_back(call.place);
  return places;
}

}  // namespace connscope::probe
