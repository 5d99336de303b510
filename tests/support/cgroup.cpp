// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cgroup.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <utility>
#include <vector>

#include "agent/base/file.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

bpf_insn instruction(unsigned char code, unsigned char destination, int immediate) {
  bpf_insn made{};
  made.code = code;
  made.dst_reg = destination & 0xfU;
  made.imm = immediate;
  return made;
}

bpf_insn move(unsigned char destination, int immediate) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, destination, immediate);
}

Result<UniqueFd> attach(const TestCgroup& cgroup, std::vector<bpf_insn> program) {
  program.push_back(move(BPF_REG_0, 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0));
  bpf_prog_load_opts load{};
  load.sz = sizeof(load);
  load.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
  const UniqueFd loaded(
      ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "test_policy", "GPL", program.data(), program.size(), &load));
  if (!loaded) return Error::from_errno("loading the connect policy", errno);
  const UniqueFd folder(::open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return Error::from_errno(cgroup.path(), errno);
  UniqueFd link(::bpf_link_create(loaded.get(), folder.get(), BPF_CGROUP_INET4_CONNECT, nullptr));
  if (!link) return Error::from_errno("attaching the connect policy", errno);
  return link;
}

}  // namespace

Result<std::string> cgroup2_mount() {
  const auto mounts = read_file("/proc/self/mountinfo");
  if (!mounts) return mounts.error();
  std::istringstream lines(*mounts);
  for (std::string line; std::getline(lines, line);) {
    // "31 23 0:28 ROOT MOUNT_POINT OPTIONS … - TYPE SOURCE …"
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    return word;
  }
  return Error("no cgroup v2 hierarchy is mounted");
}

Result<TestCgroup> TestCgroup::create(const std::string& path) {
  const auto mount = cgroup2_mount();
  if (!mount) return mount.error();
  std::filesystem::path folder = *mount;
  std::string first_made;
  for (const std::filesystem::path& part : std::filesystem::path(path)) {
    folder /= part;
    std::error_code failed;
    const bool made = std::filesystem::create_directory(folder, failed);
    if (failed) return Error(folder.string() + ": " + failed.message());
    if (made && first_made.empty()) first_made = folder.string();
  }
  return TestCgroup(folder.string(), first_made);
}

TestCgroup::TestCgroup(TestCgroup&& other) noexcept
    : path_(std::exchange(other.path_, {})), first_made_(std::exchange(other.first_made_, {})) {}

TestCgroup::~TestCgroup() {
  if (first_made_.empty()) return;
  const std::filesystem::path top(first_made_);
  for (std::filesystem::path folder(path_); folder.string().size() >= top.string().size();
       folder = folder.parent_path()) {
    eventually(std::chrono::seconds(2), [&] {
      std::error_code failed;
      std::filesystem::remove(folder, failed);
      return !failed;
    });
  }
}

Status TestCgroup::take_in(pid_t pid) const {
  const std::string file_path = path_ + "/cgroup.procs";
  const UniqueFd file(::open(file_path.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string number = std::to_string(pid);
  if (!file || ::write(file.get(), number.data(), number.size()) < 0) return Error::from_errno(file_path, errno);
  return {};
}

Result<ConnectPolicy> ConnectPolicy::deny(const TestCgroup& cgroup) {
  auto link = attach(cgroup, {});
  if (!link) return link.error();
  return ConnectPolicy(std::move(*link));
}

Result<ConnectPolicy> ConnectPolicy::fail_with(const TestCgroup& cgroup, int error) {
  auto link = attach(cgroup, {move(BPF_REG_1, -error), instruction(BPF_JMP | BPF_CALL, 0, BPF_FUNC_set_retval)});
  if (!link) return link.error();
  return ConnectPolicy(std::move(*link));
}

}  // namespace connscope::testing
