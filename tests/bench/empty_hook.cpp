// SPDX-License-Identifier: Apache-2.0
//
// Packet programs that do nothing, for both directions at the root of the cgroup v2 hierarchy, until standard input
// ends: what being called at all costs. Prints "attached", and at the end one line of JSON with what
// kernel.bpf_stats_enabled has counted of them. Needs root.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/support/cgroup.h"

namespace {

using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;

struct Hook {
  UniqueFd program;
  UniqueFd link;

  static Result<Hook> attach(const std::string& cgroup, bpf_attach_type type) {
    std::array<bpf_insn, 2> code{};
    code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
    code[0].imm = 1;
    code[1].code = BPF_JMP | BPF_EXIT;
    bpf_prog_load_opts load{};
    load.sz = sizeof(load);
    load.expected_attach_type = type;
    Hook hook{UniqueFd(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "empty_hook", "GPL", code.data(), code.size(), &load)),
              {}};
    const UniqueFd folder(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!hook.program || !folder) return Error::from_errno("loading", errno);
    hook.link.reset(::bpf_link_create(hook.program.get(), folder.get(), type, nullptr));
    if (!hook.link) return Error::from_errno("attaching", errno);
    return hook;
  }
  [[nodiscard]] bpf_prog_info info() const {
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    ::bpf_obj_get_info_by_fd(program.get(), &info, &size);
    return info;
  }
};

Status run() {
  const auto cgroup = connscope::testing::cgroup2_mount();
  if (!cgroup) return cgroup.error();
  const auto ingress = Hook::attach(*cgroup, BPF_CGROUP_INET_INGRESS);
  if (!ingress) return ingress.error();
  const auto egress = Hook::attach(*cgroup, BPF_CGROUP_INET_EGRESS);
  if (!egress) return egress.error();
  std::puts("attached");
  std::fflush(stdout);
  std::array<char, 16> ignored{};
  while (::read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
  }
  const bpf_prog_info in = ingress->info();
  const bpf_prog_info out = egress->info();
  std::printf(R"({"runs": %llu, "ns": %llu})"
              "\n",
              in.run_cnt + out.run_cnt, in.run_time_ns + out.run_time_ns);
  return {};
}

}  // namespace

int main() {
  const Status done = run();
  if (!done) std::fprintf(stderr, "empty_hook: %s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
