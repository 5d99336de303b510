// SPDX-License-Identifier: Apache-2.0
//
// filesystem: the space of mounted file systems. Sources: /proc/1/mounts (proc_pid_mounts(5)), or that of this process
// where the first process's is not ours to read, and statvfs(3).
#include <array>
#include <string>
#include <utility>

#include "agent/host/collector.h"
#include "agent/host/mount_reader.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::filesystem {
namespace {

/// Blanks, backslashes and '#' stand in the file as \ooo.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto code = text[at] == '\\' && at + 3 < text.size() ? to_number(text.substr(at + 1, 3), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code & 0xffU) : text[at];
    if (code) at += 3;
  }
  return plain;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty())
    if (take_until(options, ',') == wanted) return true;
  return false;
}

class Filesystem final : public Collector {
 public:
  struct Options {
    Filter mount_points;
    Filter types;
    std::string root;
    std::chrono::milliseconds limit;
  };
  explicit Filesystem(Options options)
      : Collector("filesystem"),
        options_(std::move(options)),
        reader_(::statvfs, options_.limit),
        table_(add_table({"device", "mountpoint", "fstype"},
                         {{"node_filesystem_size_bytes", "Size of the file system."},
                          {"node_filesystem_free_bytes", "Space that is free."},
                          {"node_filesystem_avail_bytes", "Space that is free for users other than root."},
                          {"node_filesystem_files", "Inodes of the file system."},
                          {"node_filesystem_files_free", "Inodes that are free."},
                          {"node_filesystem_readonly", "1: it is mounted read-only."},
                          {"node_filesystem_device_error", "1: it could not say how full it is."}})),
        timeouts_(add_table({}, {{"connscope_mount_timeouts_total",
                                  "Times that a mount did not answer within the limit.", kCounter}})) {}

 private:
  struct Mount {
    std::string device;
    std::string point;
    std::string type;
    bool read_only;
  };

  Status read(Kernel& kernel) override {
    Content content = kernel.read(Root::kProc, {"1/mounts"});
    if (!content) content = kernel.read(Root::kProc, {"self/mounts"});
    if (!content) return absent_or_error(content, "mounts");
    if (auto outcome = take_mounts(content.text); !outcome) return outcome;
    const auto& spaces = reader_.read(paths_);
    for (std::size_t i = 0; i < mounts_.size(); ++i) show(mounts_[i], spaces[i]);
    timeouts_.row({});
    timeouts_.set(0, reader_.timeouts());
    return {};
  }

  /// Mounts change seldom: a list that is the same is not taken apart again.
  Status take_mounts(std::string_view text) {
    if (paths_ && text == text_) return {};
    paths_.reset();
    text_ = text;
    mounts_.clear();
    auto paths = std::make_shared<std::vector<std::string>>();
    std::string_view rest = text_;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<4> fields(line);
      if (fields.size() != 4) return malformed("mounts", line);
      std::string point = within_root(unescaped(fields[1]));
      if (!options_.mount_points.passes(point) || !options_.types.passes(fields[2])) continue;
      paths->push_back(options_.root + point);
      mounts_.push_back({unescaped(fields[0]), std::move(point), std::string(fields[2]), has_option(fields[3], "ro")});
    }
    paths_ = std::move(paths);
    return {};
  }

  /// In a container the host's root may be mounted somewhere, and so may be all that is below it.
  [[nodiscard]] std::string within_root(std::string point) const {
    if (options_.root.empty() || !point.starts_with(options_.root)) return point;
    std::string below = point.substr(options_.root.size());
    if (below.empty()) return "/";
    return below.front() == '/' ? below : point;
  }

  void show(const Mount& mount, const MountSpace& space) {
    if (!table_.row({mount.device, mount.point, mount.type})) return;  // mounted over: the first is served
    table_.set(5, mount.read_only ? 1U : 0U);
    table_.set(6, space.error != 0 ? 1U : 0U);
    if (space.error != 0) return;
    const auto& values = space.values;
    const std::uint64_t block = values.f_frsize != 0 ? values.f_frsize : values.f_bsize;
    table_.set(0, values.f_blocks * block);
    table_.set(1, values.f_bfree * block);
    table_.set(2, values.f_bavail * block);
    table_.set(3, values.f_files);
    table_.set(4, values.f_ffree);
  }

  Options options_;
  MountReader reader_;
  Table& table_;
  Table& timeouts_;
  std::string text_;  // of the last list
  std::vector<Mount> mounts_;
  MountReader::Paths paths_;  // one a mount
};

constexpr std::array kFlags = {
    Flag{"collector.filesystem.mount-points-exclude",
         "^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
         "Mount points to leave out"},
    Flag{"collector.filesystem.fs-types-exclude",
         "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|"
         "overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$",
         "Types of file systems to leave out"},
    Flag{"collector.filesystem.mount-timeout", "1s", "How long a mount may take to answer"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto mount_points = flags.exclude("collector.filesystem.mount-points-exclude");
  if (!mount_points) return mount_points.error();
  auto types = flags.exclude("collector.filesystem.fs-types-exclude");
  if (!types) return types.error();
  auto limit = flags.duration("collector.filesystem.mount-timeout");
  if (!limit) return limit.error();
  std::string root = flags.text("path.rootfs");
  while (!root.empty() && root.back() == '/') root.pop_back();
  return std::unique_ptr<Collector>(std::make_unique<Filesystem>(
      Filesystem::Options{std::move(*mount_points), std::move(*types), std::move(root), *limit}));
}

}  // namespace

extern const CollectorType kType{"filesystem", true, make, kFlags};

}  // namespace connscope::host::collectors::filesystem
