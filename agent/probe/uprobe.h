// SPDX-License-Identifier: Apache-2.0
//
// Hanging programs on places of a file that processes execute, for all of them, those that will be included. Since
// Linux 6.6 one link holds one program at many places (uprobe_multi), which libbpf before 1.2 does not know; else each
// place is a perf event. A program is loaded for one of the two. Any thread.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::probe {

enum class UprobeWay { kMulti, kPerf };

/// Empty when this kernel has uprobe_multi, else why not.
[[nodiscard]] std::string uprobe_multi_refusal();

/// To be called before the load; BpfObject::attach leaves the program alone from then on.
void prepare_uprobe(bpf_program* program, UprobeWay way);

/// What holds a program at its places; they are free when it goes.
struct BpfLinkCloser {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using UprobeLink = std::variant<UniqueFd, std::unique_ptr<bpf_link, BpfLinkCloser>>;

struct UprobePlaces {
  bpf_program* program = nullptr;
  bool at_return = false;  ///< when the function there returns, rather than when it is called
  std::vector<std::uint64_t> offsets;
};

/// Hangs a program there. The file is only borrowed; the links keep the file, and so its file system, in use.
[[nodiscard]] Result<std::vector<UprobeLink>> attach_uprobes(int file, const UprobePlaces& places, UprobeWay way);

}  // namespace connscope::probe
