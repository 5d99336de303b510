// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/trampoline.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <array>
#include <cerrno>
#include <memory>

#include "agent/base/unique_fd.h"
#include "agent/probe/bpf_object.h"

namespace connscope::probe {

std::string trampoline_refusal(const char* function) {
  const LibbpfMessages messages;
  const int id = libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FENTRY);
  if (id <= 0) return explain_refusal(ENOENT);
  // "return 0", the least that a program can be.
  constexpr std::array kNothing = {bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                   bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  options.expected_attach_type = BPF_TRACE_FENTRY;
  options.attach_btf_id = static_cast<std::uint32_t>(id);
  const UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_TRACING, "can_hang", "Dual BSD/GPL", kNothing.data(), kNothing.size(), &options));
  if (!program) return explain_refusal(errno);
  // Loading is not all: without support of the architecture the attachment is refused.
  const UniqueFd link(bpf_link_create(program.get(), 0, BPF_TRACE_FENTRY, nullptr));
  return link ? std::string() : explain_refusal(errno);
}

int parameter_count(const char* function) {
  const LibbpfMessages messages;
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  if (!kernel) return -1;
  const int id = btf__find_by_name_kind(kernel.get(), function, BTF_KIND_FUNC);
  if (id < 0) return -1;
  const btf_type* prototype =
      btf__type_by_id(kernel.get(), btf__type_by_id(kernel.get(), static_cast<__u32>(id))->type);
  return prototype == nullptr ? -1 : btf_vlen(prototype);
}

}  // namespace connscope::probe
