// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/host/fake_kernel.h"

#include <cstring>
#include <filesystem>

#include "agent/base/file.h"

namespace connscope::host::testing {
namespace {

void copy_word(char* to, const char* word) { std::strcpy(to, word); }  // NOLINT(*-strcpy): 64 characters of room

}  // namespace

FakeKernel FakeKernel::of_folder(const std::string& folder) {
  FakeKernel kernel;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto content = read_file(entry.path().string());
    kernel.files[std::filesystem::relative(entry.path(), folder).string()] = content.value();
  }
  return kernel;
}

std::string FakeKernel::key(Root root, Path path) {
  std::string key = root == Root::kProc   ? "proc/"
                    : root == Root::kSys  ? "sys/"
                    : root == Root::kUdev ? "udev/"
                                          : "root/";
  for (const std::string_view part : path) key += part;
  while (key.ends_with('/')) key.pop_back();
  for (auto at = key.find("//"); at != std::string::npos; at = key.find("//")) key.erase(at, 1);
  return key;
}

Content FakeKernel::read(Root root, Path path) {
  const std::string wanted = key(root, path);
  if (unreadable.count(wanted) != 0) return {{}, EACCES};
  const auto file = files.find(wanted);
  return file == files.end() ? Content{{}, ENOENT} : Content{file->second, 0};
}

Listing FakeKernel::list(Root root, Path path) {
  const std::string folder = key(root, path) + "/";
  Listing listing;
  for (auto file = files.lower_bound(folder); file != files.end() && file->first.starts_with(folder); ++file) {
    std::string name = file->first.substr(folder.size());
    name.resize(std::min(name.find('/'), name.size()));
    if (listing.names.empty() || listing.names.back() != name) listing.names.push_back(std::move(name));
  }
  if (listing.names.empty()) listing.error = files.count(folder.substr(0, folder.size() - 1)) != 0 ? ENOTDIR : ENOENT;
  return listing;
}

Content FakeKernel::link(Root root, Path path) {
  const auto link = links.find(key(root, path));
  return link == links.end() ? Content{{}, ENOENT} : Content{link->second, 0};
}

std::int64_t FakeKernel::modified(Root root, Path path) {
  return files.count(key(root, path)) != 0 ? 1'500'000'000'250'000'000 : 0;
}

std::string FakeKernel::path(Root root, Path path) const {
  const std::string full = key(root, path);
  return root == Root::kRoot || root == Root::kAbsolute ? full.substr(4) : "/" + full;
}

std::optional<Driver> FakeKernel::driver(const std::string& device) {
  if (device != "eth0") return std::nullopt;
  return Driver{"e1000e", "5.11.0", "0.5-4", "0000:00:1f.6", ""};
}

std::vector<std::pair<std::string, std::uint64_t>> FakeKernel::driver_statistics(const std::string& device) {
  if (device != "eth0") return {};
  return {{"rx_packets", 1260062}, {"tx_errors", 0}, {"rx_queue_0_bytes", 3}, {"Port.RX alloc-fail", 4}};
}

/// One unit of each kind, on a host that has any file.
Result<std::optional<ServiceManager>> FakeKernel::service_manager(const UnitWishes& wishes) {
  if (files.empty()) return std::optional<ServiceManager>();
  ServiceManager manager{"252.39-1~deb12u2", "degraded", {{"active", 3}, {"failed", 1}, {"inactive", 1}}, {}};
  const Unit units[] = {
      {"web.service", "active", "notify", 1'700'000'000'250'000, 4, 1100, 2, {}, {}, {}, {}},
      {"job.service", "failed", "oneshot", 0, UINT64_MAX, UINT64_MAX, 0, {}, {}, {}, {}},
      {"job.timer", "active", "", {}, {}, {}, {}, 1'700'000'000'000'000, {}, {}, {}},
      {"api.socket", "active", "", {}, {}, {}, {}, {}, 30, 2, 1},
      {"data.mount", "inactive", "ext4", {}, {}, {}, {}, {}, {}, {}, {}},
  };
  for (const Unit& unit : units)
    if (wishes.wanted(unit.name)) manager.units.push_back(unit);
  return std::optional<ServiceManager>(std::move(manager));
}

int FakeKernel::uname(utsname& name) {
  copy_word(name.sysname, "Linux");
  copy_word(name.nodename, "host");
  copy_word(name.release, "6.1.0-18-amd64");
  copy_word(name.version, "#1 SMP");
  copy_word(name.machine, "x86_64");
  copy_word(name.domainname, "(none)");
  return 0;
}

int FakeKernel::clock_state(timex& state) {
  state = {};
  state.status = STA_NANO;
  state.offset = 1500;
  state.freq = 65536 * 10;
  state.maxerror = 16000;
  state.esterror = 3;
  state.constant = 7;
  state.tick = 10000;
  state.jitcnt = 4;
  state.tai = 37;
  return TIME_OK;
}

std::chrono::system_clock::time_point FakeKernel::now() {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'500));
}

}  // namespace connscope::host::testing
