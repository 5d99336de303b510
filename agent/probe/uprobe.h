// SPDX-License-Identifier: Apache-2.0
//
// Hanging programs on places of a file that processes execute, for all of them, those that will be included. Since
// Linux 6.6 one link holds one program at many places (uprobe_multi), which libbpf before 1.2 does not know; else each
// place is a perf event. A program is loaded for one of the two. Any thread.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/probe/program_link.h"

namespace connscope::probe {

enum class UprobeWay { kMulti, kPerf };

/// Empty when this kernel has uprobe_multi, else why not.
[[nodiscard]] std::string uprobe_multi_refusal();

/// To be called before the load; BpfObject::attach leaves the program alone from then on.
void prepare_uprobe(bpf_program* program, UprobeWay way);

struct UprobePlaces {
  int program = -1;        ///< descriptor of a loaded one; borrowed
  bool at_return = false;  ///< when the function there returns, rather than when it is called
  std::vector<std::uint64_t> offsets;
};

/// Hangs a program there. The file is only borrowed; the links keep the file, and so its file system, in use.
[[nodiscard]] Result<std::vector<ProgramLink>> attach_uprobes(int file, const UprobePlaces& places, UprobeWay way);

}  // namespace connscope::probe
