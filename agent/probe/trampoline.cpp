// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/trampoline.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>

#include "agent/base/unique_fd.h"
#include "agent/probe/bpf_object.h"
#include "agent/probe/trial_program.h"

namespace connscope::probe {

std::string trampoline_refusal(const char* function) {
  const LibbpfMessages messages;
  const int id = libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FENTRY);
  if (id <= 0) return explain_refusal(ENOENT);
  const UniqueFd program = trial_program(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, static_cast<std::uint32_t>(id));
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
