// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/uprobe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/probe/bpf_object.h"
#include "agent/probe/trial_program.h"

namespace connscope::probe {
namespace {

// include/uapi/linux/bpf.h of Linux 6.6; the headers that we are built with may be older.
constexpr auto kTraceUprobeMulti = static_cast<bpf_attach_type>(48);
constexpr std::uint32_t kMultiReturn = 1;

/// The part of union bpf_attr for BPF_LINK_CREATE.
struct MultiAttributes {
  std::uint32_t program = 0;
  std::uint32_t target = 0;
  std::uint32_t attach_type = kTraceUprobeMulti;
  std::uint32_t link_flags = 0;
  std::uint64_t path = 0;
  std::uint64_t offsets = 0;
  std::uint64_t reference_counters = 0;
  std::uint64_t cookies = 0;
  std::uint32_t count = 0;
  std::uint32_t flags = 0;
  std::uint32_t process = 0;  // 0: all of them
  std::uint32_t reserved = 0;
};

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

Result<UniqueFd> link_multi(int program, const std::string& path, const std::vector<std::uint64_t>& offsets,
                            bool at_return) {
  MultiAttributes attributes;
  attributes.program = static_cast<std::uint32_t>(program);
  attributes.path = address_of(path.c_str());
  attributes.offsets = address_of(offsets.data());
  attributes.count = static_cast<std::uint32_t>(offsets.size());
  attributes.flags = at_return ? kMultiReturn : 0;
  UniqueFd link(static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes))));
  if (!link) return Error(explain_refusal(errno), errno);
  return link;
}

/// Without uprobe_multi it is perf that is asked.
std::string explain_perf_refusal(int code) {
  if (code != EACCES && code != EPERM) return explain_refusal(code);
  return "refused: before Linux 6.6 uprobes need CAP_SYS_ADMIN";
}

}  // namespace

std::string uprobe_multi_refusal() {
  const LibbpfMessages messages;
  const UniqueFd program = trial_program(BPF_PROG_TYPE_KPROBE, kTraceUprobeMulti);
  if (!program) return explain_refusal(errno);
  // A directory has no code. A kernel that comes so far as to see that, has all the rest.
  const auto link = link_multi(program.get(), "/", {0}, false);
  return link || link.error().code() == EBADF ? std::string() : explain_refusal(link.error().code());
}

void prepare_uprobe(bpf_program* program, UprobeWay way) {
  bpf_program__set_autoattach(program, false);
  if (way == UprobeWay::kMulti) bpf_program__set_expected_attach_type(program, kTraceUprobeMulti);
}

Result<std::vector<UprobeLink>> attach_uprobes(int file, const UprobePlaces& places, UprobeWay way) {
  const LibbpfMessages messages;
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  std::vector<UprobeLink> links;
  if (places.offsets.empty()) return links;
  if (way == UprobeWay::kMulti) {
    auto link = link_multi(bpf_program__fd(places.program), path, places.offsets, places.at_return);
    if (!link) return link.error();
    links.emplace_back(std::move(*link));
    return links;
  }
  bpf_uprobe_opts options{};
  options.sz = sizeof(options);
  options.retprobe = places.at_return;
  for (const std::uint64_t offset : places.offsets) {
    bpf_link* link = bpf_program__attach_uprobe_opts(places.program, -1, path.c_str(), offset, &options);
    if (link == nullptr) return Error(explain_perf_refusal(errno), errno);
    links.emplace_back(std::unique_ptr<bpf_link, BpfLinkCloser>(link));
  }
  return links;
}

}  // namespace connscope::probe
