// SPDX-License-Identifier: Apache-2.0
//
// diskstats: what block devices do, and what they are. Sources: /proc/diskstats (Documentation/admin-guide/iostats.rst)
// and udev's database (/run/udev/data/bMAJOR:MINOR, lines "E:KEY=VALUE").
#include <array>
#include <optional>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::diskstats {
namespace {

constexpr const char* kFile = "diskstats";
constexpr double kSectorBytes = 512;  // whatever the device's own sectors are
constexpr double kMillisecond = 1e-3;

/// A field of the line, from the fourth on: reads first.
struct Statistic {
  const char* name;
  const char* help;
  double unit = 0;  ///< 0: a count
  metrics::MetricType type = kCounter;
};
constexpr auto kStatistics = std::to_array<Statistic>({
    {"node_disk_reads_completed_total", "Reads that were done."},
    {"node_disk_reads_merged_total", "Reads that were merged into others."},
    {"node_disk_read_bytes_total", "Bytes read.", kSectorBytes},
    {"node_disk_read_time_seconds_total", "Time of all reads together.", kMillisecond},
    {"node_disk_writes_completed_total", "Writes that were done."},
    {"node_disk_writes_merged_total", "Writes that were merged into others."},
    {"node_disk_written_bytes_total", "Bytes written.", kSectorBytes},
    {"node_disk_write_time_seconds_total", "Time of all writes together.", kMillisecond},
    {"node_disk_io_now", "Requests under way.", 0, kGauge},
    {"node_disk_io_time_seconds_total", "Time in which any request was under way.", kMillisecond},
    {"node_disk_io_time_weighted_seconds_total", "Time of all requests together.", kMillisecond},
    {"node_disk_discards_completed_total", "Discards that were done."},
    {"node_disk_discards_merged_total", "Discards that were merged into others."},
    {"node_disk_discarded_sectors_total", "Sectors discarded."},
    {"node_disk_discard_time_seconds_total", "Time of all discards together.", kMillisecond},
    {"node_disk_flush_requests_total", "Flushes that were done."},
    {"node_disk_flush_requests_time_seconds_total", "Time of all flushes together.", kMillisecond},
});

/// What udev knows of a device, by its key.
std::string_view property(std::string_view database, std::string_view key) {
  while (!database.empty()) {
    std::string_view line = take_line(database);
    if (!line.starts_with("E:")) continue;
    line.remove_prefix(2);
    if (take_until(line, '=') == key) return line;
  }
  return {};
}

std::string_view first_of(std::string_view a, std::string_view b) { return a.empty() ? b : a; }

class Diskstats final : public Collector {
 public:
  explicit Diskstats(Filter devices)
      : Collector("diskstats"),
        devices_(std::move(devices)),
        table_(add_table({"device"})),
        info_(add_table({"device", "major", "minor", "path", "wwn", "model", "serial", "revision"},
                        {{"node_disk_info", "What the device is; always 1."}})),
        filesystem_(add_table({"device", "type", "usage", "uuid", "version"},
                              {{"node_disk_filesystem_info", "The file system on the device; always 1."}})),
        mapper_(add_table({"device", "name", "uuid", "vg_name", "lv_name", "lv_layer"},
                          {{"node_disk_device_mapper_info", "The mapped device; always 1."}})),
        ata_(add_table({"device"}, {{"node_disk_ata_write_cache", "1: the ATA disk has a write cache."},
                                    {"node_disk_ata_write_cache_enabled", "1: that cache is on."},
                                    {"node_disk_ata_rotation_rate_rpm", "Turns a minute of the ATA disk; 0: none."}})) {
    for (const Statistic& statistic : kStatistics) table_.add_column({statistic.name, statistic.help, statistic.type});
  }

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    disks_.clear();
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<3 + kStatistics.size()> fields(line);
      if (fields.size() < 4) return malformed(kFile, line);
      if (!devices_.passes(fields[2])) continue;
      if (!take_disk(fields)) return malformed(kFile, line);
      disks_.push_back({std::string(fields[2]), std::string(fields[0]), std::string(fields[1])});
    }
    for (const Disk& disk : disks_) describe(kernel, disk);
    return {};
  }

  bool take_disk(const Fields<3 + kStatistics.size()>& fields) {
    table_.row({fields[2]});
    for (std::size_t i = 0; 3 + i < fields.size(); ++i) {
      const auto number = to_number(fields[3 + i]);
      if (!number) return false;
      const double unit = kStatistics[i].unit;
      if (unit == 0) {
        table_.set(i, *number);
      } else {
        table_.set(i, static_cast<double>(*number) * unit);
      }
    }
    return true;
  }

  struct Disk {
    std::string name;
    std::string major;
    std::string minor;
  };

  void describe(Kernel& kernel, const Disk& disk) {
    const std::string_view known = kernel.read(Root::kUdev, {"b", disk.major, ":", disk.minor}).text;
    info_.row({disk.name, disk.major, disk.minor, property(known, "ID_PATH"), property(known, "ID_WWN"),
               property(known, "ID_MODEL"),
               first_of(property(known, "SCSI_IDENT_SERIAL"), property(known, "ID_SERIAL_SHORT")),
               property(known, "ID_REVISION")});
    info_.set(0, 1U);
    if (known.empty()) return;
    if (const auto type = property(known, "ID_FS_TYPE"); !type.empty()) {
      filesystem_.row({disk.name, type, property(known, "ID_FS_USAGE"), property(known, "ID_FS_UUID"),
                       property(known, "ID_FS_VERSION")});
      filesystem_.set(0, 1U);
    }
    if (const auto name = property(known, "DM_NAME"); !name.empty()) {
      mapper_.row({disk.name, name, property(known, "DM_UUID"), property(known, "DM_VG_NAME"),
                   property(known, "DM_LV_NAME"), property(known, "DM_LV_LAYER")});
      mapper_.set(0, 1U);
    }
    if (property(known, "ID_ATA").empty()) return;
    ata_.row({disk.name});
    set_ata(0, property(known, "ID_ATA_WRITE_CACHE"));
    set_ata(1, property(known, "ID_ATA_WRITE_CACHE_ENABLED"));
    set_ata(2, property(known, "ID_ATA_ROTATION_RATE_RPM"));
  }

  void set_ata(std::size_t column, std::string_view text) {
    if (const auto number = to_number(text)) ata_.set(column, *number);
  }

  Filter devices_;
  Table& table_;
  Table& info_;
  Table& filesystem_;
  Table& mapper_;
  Table& ata_;
  std::vector<Disk> disks_;  // what was read is gone when udev's files are
};

constexpr std::array kFlags = {
    Flag{"collector.diskstats.device-exclude", R"re(^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)re",
         "Devices to leave out (not with device-include)"},
    Flag{"collector.diskstats.device-include", "", "Devices to serve (not with device-exclude)"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto devices = flags.filter("collector.diskstats.device");
  if (!devices) return devices.error();
  return std::unique_ptr<Collector>(std::make_unique<Diskstats>(std::move(*devices)));
}

}  // namespace

extern const CollectorType kType{"diskstats", true, make, kFlags};

}  // namespace connscope::host::collectors::diskstats
