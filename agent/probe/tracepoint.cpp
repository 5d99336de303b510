// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/tracepoint.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include "agent/base/unique_fd.h"
#include "agent/probe/detached_mount.h"

namespace connscope::probe {
namespace {

constexpr const char* kTracefs = "/sys/kernel/tracing";

Result<UniqueFd> open_tracefs() {
  const std::string events = std::string(kTracefs) + "/events";
  // Not by access(2), which looks at the real user and at no capability.
  const UniqueFd mounted(::open(events.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!mounted) {
    auto detached = detached_mount("tracefs");
    if (!detached) return detached.error().context("tracefs is not readable at " + std::string(kTracefs));
    return detached;
  }
  UniqueFd directory(::open(kTracefs, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error::from_errno(kTracefs, errno);
  return directory;
}

}  // namespace

Result<std::uint64_t> tracepoint_id(std::string_view category_and_name) {
  auto tracefs = open_tracefs();
  if (!tracefs) return tracefs.error();
  const std::string path = "events/" + std::string(category_and_name) + "/id";
  const UniqueFd file(::openat(tracefs->get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error::from_errno("tracefs " + path, errno);
  std::array<char, 32> text{};
  const ssize_t length = ::read(file.get(), text.data(), text.size());
  std::uint64_t id = 0;
  if (length <= 0 || std::from_chars(text.data(), text.data() + length, id).ec != std::errc())
    return Error("tracefs " + path + ": not a number");
  return id;
}

Result<ProgramLink> attach_tracepoint(int program, std::string_view category_and_name) {
  const auto id = tracepoint_id(category_and_name);
  if (!id) return id.error();
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = *id;
  // One event on any CPU is enough: the program hangs on the tracepoint itself.
  UniqueFd event(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return Error::from_errno("perf_event_open", errno);
  auto link = link_perf_event(program, std::move(event));
  if (!link) return link.error().context("attach to a tracepoint");
  return link;
}

}  // namespace connscope::probe
