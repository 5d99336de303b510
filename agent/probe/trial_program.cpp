// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/trial_program.h"

#include <linux/bpf.h>

#include <array>

namespace connscope::probe {

UniqueFd trial_program(bpf_prog_type type, bpf_attach_type attach_type, std::uint32_t attach_btf_id) {
  constexpr std::array kNothing = {bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                   bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = attach_type;
  options.attach_btf_id = attach_btf_id;
  return UniqueFd(bpf_prog_load(type, "can_hang", "Dual BSD/GPL", kNothing.data(), kNothing.size(), &options));
}

}  // namespace connscope::probe
