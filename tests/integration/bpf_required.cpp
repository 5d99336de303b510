// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/bpf_required.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace connscope::testing {

std::string missing_for_bpf() {
  if (::geteuid() != 0) return "needs root";
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) return "needs a kernel with BTF (/sys/kernel/btf/vmlinux)";
  if (::libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, nullptr) != 1) {
    return "needs a kernel that takes BPF programs";
  }
  return {};
}

bool bpf_tests_required() {
  const char* wanted = std::getenv("CONNSCOPE_BPF_TESTS");  // NOLINT(concurrency-mt-unsafe)
  return wanted != nullptr && std::string_view(wanted) == "required";
}

}  // namespace connscope::testing
