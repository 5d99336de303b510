// SPDX-License-Identifier: Apache-2.0
//
// ProgramLink: what holds a BPF program at its hook. The program is off once it goes, be the program's own descriptor
// closed or not. Made from descriptors alone, so that no object of libbpf need be kept for it. Any thread. An error's
// code is the kernel's. Source: bpf(2), perf_event_open(2).
#pragma once

#include <linux/bpf.h>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

struct ProgramLink {
  UniqueFd event;  ///< what a perf event's link hangs on, and goes before it
  UniqueFd link;
};

/// A program of type tracing (tp_btf, fentry, fexit), where its load said.
[[nodiscard]] Result<ProgramLink> link_tracing(int program);
/// Beside those of others there, by the kernel's own rule.
[[nodiscard]] Result<ProgramLink> link_cgroup(int program, int cgroup, bpf_attach_type type);
/// Switches the event on.
[[nodiscard]] Result<ProgramLink> link_perf_event(int program, UniqueFd event);

}  // namespace connscope::probe
