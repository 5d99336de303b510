// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/program_link.h"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

#include "agent/probe/bpf_object.h"

namespace connscope::probe {
namespace {

Result<ProgramLink> checked(UniqueFd link) {
  if (!link) return Error(explain_refusal(errno), errno);
  return ProgramLink{{}, std::move(link)};
}

}  // namespace

/// Links by BPF_LINK_CREATE are younger (5.18) than what does the same here.
Result<ProgramLink> link_tracing(int program) { return checked(UniqueFd(bpf_raw_tracepoint_open(nullptr, program))); }

Result<ProgramLink> link_cgroup(int program, int cgroup, bpf_attach_type type) {
  return checked(UniqueFd(bpf_link_create(program, cgroup, type, nullptr)));
}

Result<ProgramLink> link_perf_event(int program, UniqueFd event) {
  UniqueFd link(bpf_link_create(program, event.get(), BPF_PERF_EVENT, nullptr));
  // Before 5.15 the event itself holds the program.
  if (!link && ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program) != 0) return Error::from_errno("link", errno);
  if (::ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return Error::from_errno("switch on", errno);
  return ProgramLink{std::move(event), std::move(link)};
}

}  // namespace connscope::probe
