// SPDX-License-Identifier: Apache-2.0
//
// trial_program: the least that a BPF program can be, to see whether this kernel lets programs of a kind be loaded and
// attached. Any thread.
#pragma once

#include <bpf/bpf.h>

#include <cstdint>

#include "agent/base/unique_fd.h"

namespace connscope::probe {

/// A loaded program that returns 0; without one, errno says why.
[[nodiscard]] UniqueFd trial_program(bpf_prog_type type, bpf_attach_type attach_type, std::uint32_t attach_btf_id = 0);

}  // namespace connscope::probe
