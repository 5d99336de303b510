// SPDX-License-Identifier: Apache-2.0
//
// btrfs: space of Btrfs file systems. Source: /sys/fs/btrfs/UUID (Documentation/ABI of btrfs: btrfs(5), "sysfs").
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::btrfs {
namespace {

constexpr std::string_view kFolder = "fs/btrfs";
constexpr auto kBlockTypes = std::to_array<std::string_view>({"data", "metadata", "system"});
constexpr std::uint64_t kSectorBytes = 512;

/// How many copies of the data a profile keeps.
double copies_of(std::string_view mode) {
  if (mode == "raid1" || mode == "raid10" || mode == "dup") return 2;
  if (mode == "raid1c3") return 3;
  if (mode == "raid1c4") return 4;
  return 1;
}

class Btrfs final : public Collector {
 public:
  Btrfs()
      : Collector("btrfs"),
        info_(add_table({"uuid", "label"}, {{"node_btrfs_info", "The file system; always 1."}})),
        global_(add_table({"uuid"}, {{"node_btrfs_global_rsv_size_bytes", "Space kept in reserve."}})),
        devices_(add_table({"uuid", "device"}, {{"node_btrfs_device_size_bytes", "Size of the device."}})),
        reserved_(add_table({"uuid", "block_group_type"}, {{"node_btrfs_reserved_bytes", "Space that is reserved."}})),
        groups_(add_table({"uuid", "block_group_type", "mode"},
                          {{"node_btrfs_used_bytes", "Space in use."},
                           {"node_btrfs_size_bytes", "Space of the block groups."},
                           {"node_btrfs_allocation_ratio", "Bytes on the devices for each byte of data."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const std::string& uuid : kernel.list(Root::kSys, {kFolder}).names)
      if (kernel.list(Root::kSys, {kFolder, "/", uuid, "/allocation"}).error == 0) read_volume(kernel, uuid);
    return {};
  }

  void read_volume(Kernel& kernel, const std::string& uuid) {
    const std::string folder = std::string(kFolder) + "/" + uuid;
    info_.row({uuid, kernel.line(Root::kSys, {folder, "/label"})});
    info_.set(0, 1U);
    if (const auto size = kernel.number(Root::kSys, {folder, "/allocation/global_rsv_size"})) {
      global_.row({uuid});
      global_.set(0, *size);
    }
    const auto devices = kernel.list(Root::kSys, {folder, "/devices"}).names;
    for (const std::string& device : devices) {
      const auto sectors = kernel.number(Root::kSys, {folder, "/devices/", device, "/size"});
      if (!sectors) continue;
      devices_.row({uuid, device});
      devices_.set(0, *sectors * kSectorBytes);
    }
    for (const std::string_view type : kBlockTypes) read_groups(kernel, uuid, folder, type, devices.size());
  }

  void read_groups(Kernel& kernel, const std::string& uuid, const std::string& folder, std::string_view type,
                   std::size_t device_count) {
    const std::string groups = folder + "/allocation/" + std::string(type);
    if (const auto reserved = kernel.number(Root::kSys, {groups, "/bytes_reserved"})) {
      reserved_.row({uuid, type});
      reserved_.set(0, *reserved);
    }
    for (const std::string& mode : kernel.list(Root::kSys, {groups}).names) {
      const auto total = kernel.number(Root::kSys, {groups, "/", mode, "/total_bytes"});
      const auto used = kernel.number(Root::kSys, {groups, "/", mode, "/used_bytes"});
      if (!total || !used) continue;  // not a profile
      groups_.row({uuid, type, mode});
      groups_.set(0, *used);
      groups_.set(1, *total);
      groups_.set(2, ratio_of(mode, static_cast<double>(device_count)));
    }
  }

  /// Parity takes one or two devices of all.
  static double ratio_of(std::string_view mode, double devices) {
    const double parity = mode == "raid5" ? 1 : mode == "raid6" ? 2 : 0;
    if (parity == 0) return copies_of(mode);
    return devices > parity ? devices / (devices - parity) : 1;
  }

  Table& info_;
  Table& global_;
  Table& devices_;
  Table& reserved_;
  Table& groups_;
};

}  // namespace

extern const CollectorType kType{"btrfs", true, make_plain<Btrfs>};

}  // namespace connscope::host::collectors::btrfs
