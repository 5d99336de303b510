// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/uprobe.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include "agent/base/file.h"
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

Result<ProgramLink> link_multi(int program, const std::string& path, const std::vector<std::uint64_t>& offsets,
                               bool at_return) {
  MultiAttributes attributes;
  attributes.program = static_cast<std::uint32_t>(program);
  attributes.path = address_of(path.c_str());
  attributes.offsets = address_of(offsets.data());
  attributes.count = static_cast<std::uint32_t>(offsets.size());
  attributes.flags = at_return ? kMultiReturn : 0;
  UniqueFd link(static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes))));
  if (!link) return Error(explain_refusal(errno), errno);
  return ProgramLink{{}, std::move(link)};
}

/// How perf is asked for a uprobe, by what the kernel says in sysfs.
struct UprobeEvents {
  std::uint32_t type = 0;
  std::uint64_t at_return = 0;  ///< in `config`
};

Result<std::uint32_t> number_in(const std::string& path, std::string_view before) {
  const auto text = read_file(path);
  if (!text) return text.error();
  std::uint32_t number = 0;
  const char* end = text->data() + text->size();
  if (!text->starts_with(before) || std::from_chars(text->data() + before.size(), end, number).ec != std::errc())
    return Error(path + ": not a number");
  return number;
}

Result<UprobeEvents> uprobe_events() {
  const std::string source = "/sys/bus/event_source/devices/uprobe/";
  const auto type = number_in(source + "type", "");
  if (!type) return type.error();
  const auto bit = number_in(source + "format/retprobe", "config:");
  if (!bit) return bit.error();
  return UprobeEvents{*type, std::uint64_t{1} << *bit};
}

/// For all processes, on whichever CPU they run: a uprobe's event needs one of them to be named all the same.
UniqueFd open_uprobe(const UprobeEvents& events, const std::string& path, std::uint64_t offset, bool at_return) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = events.type;
  attributes.config = at_return ? events.at_return : 0;
  attributes.config1 = address_of(path.c_str());
  attributes.config2 = offset;
  return UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
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

Result<std::vector<ProgramLink>> attach_uprobes(int file, const UprobePlaces& places, UprobeWay way) {
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  std::vector<ProgramLink> links;
  if (places.offsets.empty()) return links;
  if (way == UprobeWay::kMulti) {
    auto link = link_multi(places.program, path, places.offsets, places.at_return);
    if (!link) return link.error();
    links.push_back(std::move(*link));
    return links;
  }
  const auto events = uprobe_events();
  if (!events) return events.error();
  for (const std::uint64_t offset : places.offsets) {
    UniqueFd event = open_uprobe(*events, path, offset, places.at_return);
    if (!event) return Error(explain_perf_refusal(errno), errno);
    auto link = link_perf_event(places.program, std::move(event));
    if (!link) return Error(explain_perf_refusal(link.error().code()), link.error().code());
    links.push_back(std::move(*link));
  }
  return links;
}

}  // namespace connscope::probe
