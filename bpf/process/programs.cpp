// SPDX-License-Identifier: Apache-2.0
#include "bpf/process/programs.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "agent/base/file.h"
#include "agent/identity/interpreters.h"
#include "agent/identity/live_process.h"
#include "agent/probe/processes.h"

namespace connscope::bpf {
namespace {

/// More execs than any process makes while it is looked at.
constexpr int kMaxReads = 4;

/// What a process is taken for.
struct Process {
  interpreter executed;
  std::string arguments;  // as in /proc/PID/cmdline

  friend bool operator==(const Process&, const Process&) = default;
};

/// Its command line is read only when it is an interpreter that is wanted.
Process look_at(const std::string& procfs, pid_t pid, const identity::CaptureWishes& wishes) {
  const std::string exe = identity::read_exe(procfs, pid);
  Process process{identity::interpreter_of(exe.substr(exe.rfind('/') + 1)), {}};
  if (wishes.wants(process.executed))
    process.arguments = read_file(procfs + "/" + std::to_string(pid) + "/cmdline").value_or("");
  return process;
}

Status write_program(int map, std::uint32_t tgid, const std::optional<identity_program>& program, std::uint64_t flags) {
  const int result = program ? bpf_map_update_elem(map, &tgid, &*program, flags) : bpf_map_delete_elem(map, &tgid);
  if (result == 0 || errno == EEXIST || errno == ENOENT) return {};
  return Error::from_errno("identity_programs", errno);
}

Status take_up(int map, const identity::CaptureWishes& wishes, const std::string& procfs, pid_t pid) {
  Process process = look_at(procfs, pid, wishes);
  if (process.arguments.empty()) return {};
  std::uint64_t flags = BPF_NOEXIST;
  for (int i = 0; i < kMaxReads; ++i) {
    const auto program = identity::program_of(process.executed, process.arguments);
    if (auto written = write_program(map, static_cast<std::uint32_t>(pid), program, flags); !written) return written;
    Process now = look_at(procfs, pid, wishes);
    if (now == process) break;
    process = std::move(now);
    flags = BPF_ANY;
  }
  return {};
}

template <class Entry, class Value>
Status put(int map, const Entry& entry, const Value& value, const char* what) {
  const auto key = identity::key_of(entry);
  if (bpf_map_update_elem(map, &key, &value, BPF_ANY) != 0) return Error::from_errno(what, errno);
  return {};
}

}  // namespace

Status load_interpreters(int interpreters_map, int options_map) {
  for (const auto& entry : identity::interpreters())
    if (auto done = put(interpreters_map, entry, static_cast<std::uint32_t>(entry.which), "interpreters"); !done)
      return done;
  for (const auto& entry : identity::interpreter_options())
    if (auto done = put(options_map, entry, static_cast<std::uint32_t>(entry.meaning), "options"); !done) return done;
  return {};
}

Status take_up_programs(int programs_map, const identity::CaptureWishes& wishes, const std::string& procfs) {
  Status outcome;
  const auto visit = [&](int /*directory*/, const dirent& entry) {
    const auto pid = static_cast<pid_t>(std::strtol(entry.d_name, nullptr, 10));
    if (auto taken = take_up(programs_map, wishes, procfs, pid); !taken) outcome = taken;
  };
  if (auto walked = probe::for_each_process(procfs, visit); !walked) return walked;
  return outcome;
}

}  // namespace connscope::bpf
