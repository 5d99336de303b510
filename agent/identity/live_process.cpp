// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/live_process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <string_view>

#include "agent/base/file.h"
#include "agent/base/take_until.h"
#include "agent/identity/cgroup_path.h"
#include "agent/identity/interpreters.h"
#include "agent/metrics/utf8.h"

namespace connscope::identity {
namespace {

std::string folder_of(const std::string& proc_root, pid_t pid) { return proc_root + "/" + std::to_string(pid); }

/// The path in cgroup v2's line, "0::/path"; hosts with v1 alone have none.
std::string_view unified_cgroup(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = take_until(lines, '\n');
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

/// The name in brackets of /proc/PID/stat; it may have brackets and spaces itself.
std::string_view comm_of(std::string_view stat) {
  const auto begin = stat.find('(');
  const auto end = stat.rfind(')');
  return begin < end && end != std::string_view::npos ? stat.substr(begin + 1, end - begin - 1) : std::string_view();
}

/// Field 22 of proc(5); the fields are counted from behind the name.
std::uint64_t start_time_of(std::string_view stat) {
  constexpr int kFieldsBetween = 20;  // from the state, the third, to the one before
  auto at = stat.rfind(')');
  for (int field = 0; field < kFieldsBetween && at != std::string_view::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string_view::npos) return 0;
  std::uint64_t time = 0;
  std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), time);
  return time;
}

}  // namespace

std::string words_of_args(std::string_view args) {
  while (!args.empty() && args.back() == '\0') args.remove_suffix(1);
  std::string words(args);
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

std::string read_exe(const std::string& proc_root, pid_t pid) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlink((folder_of(proc_root, pid) + "/exe").c_str(), target.data(), target.size());
  if (length <= 0) return {};
  std::string_view path(target.data(), static_cast<std::size_t>(length));
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return metrics::to_utf8(path);
}

std::uint64_t read_start_time(const std::string& proc_root, pid_t pid) {
  const auto stat = read_file(folder_of(proc_root, pid) + "/stat");
  return stat ? start_time_of(*stat) : 0;
}

std::optional<ProcessAttributes> read_process(const std::string& proc_root, pid_t pid, const CaptureWishes& wishes) {
  const std::string folder = folder_of(proc_root, pid);
  const auto stat = read_file(folder + "/stat");
  if (!stat) return std::nullopt;
  ProcessAttributes attributes;
  attributes.exe = read_exe(proc_root, pid);
  attributes.comm = metrics::to_utf8(comm_of(*stat));
  attributes.cgroup = metrics::to_utf8(unified_cgroup(read_file(folder + "/cgroup").value_or("")));
  attributes.unit = systemd_unit(attributes.cgroup);
  attributes.container = container_id(attributes.cgroup);
  const interpreter which = interpreter_of(attributes.exe.substr(attributes.exe.rfind('/') + 1));
  const bool is_interpreter = wishes.wants(which);
  if (!wishes.args && !is_interpreter) return attributes;
  const std::string arguments = read_file(folder + "/cmdline").value_or("");
  if (wishes.args) attributes.args = metrics::to_utf8(words_of_args(arguments));
  if (const auto program = is_interpreter ? program_of(which, arguments) : std::nullopt)
    attributes.script = metrics::to_utf8(program->name);
  return attributes;
}

}  // namespace connscope::identity
