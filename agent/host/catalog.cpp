// SPDX-License-Identifier: Apache-2.0
#include "agent/host/catalog.h"

#include <array>
#include <deque>

namespace connscope::host {

// One line a collector here, and one below: its definition is at the end of its file.
// clang-format off
namespace collectors::arp { extern const CollectorType kType; }
namespace collectors::bonding { extern const CollectorType kType; }
namespace collectors::btrfs { extern const CollectorType kType; }
namespace collectors::cgroup { extern const CollectorType kType; }
namespace collectors::conntrack { extern const CollectorType kType; }
namespace collectors::cpu { extern const CollectorType kType; }
namespace collectors::cpufreq { extern const CollectorType kType; }
namespace collectors::diskstats { extern const CollectorType kType; }
namespace collectors::dmi { extern const CollectorType kType; }
namespace collectors::edac { extern const CollectorType kType; }
namespace collectors::entropy { extern const CollectorType kType; }
namespace collectors::ethtool { extern const CollectorType kType; }
namespace collectors::filefd { extern const CollectorType kType; }
namespace collectors::filesystem { extern const CollectorType kType; }
namespace collectors::hwmon { extern const CollectorType kType; }
namespace collectors::interrupts { extern const CollectorType kType; }
namespace collectors::ksmd { extern const CollectorType kType; }
namespace collectors::loadavg { extern const CollectorType kType; }
namespace collectors::mdadm { extern const CollectorType kType; }
namespace collectors::meminfo { extern const CollectorType kType; }
namespace collectors::netclass { extern const CollectorType kType; }
namespace collectors::netdev { extern const CollectorType kType; }
namespace collectors::netstat { extern const CollectorType kType; }
namespace collectors::nfs { extern const CollectorType kType; }
namespace collectors::nvme { extern const CollectorType kType; }
namespace collectors::os { extern const CollectorType kType; }
namespace collectors::powersupplyclass { extern const CollectorType kType; }
namespace collectors::pressure { extern const CollectorType kType; }
namespace collectors::processes { extern const CollectorType kType; }
namespace collectors::rapl { extern const CollectorType kType; }
namespace collectors::schedstat { extern const CollectorType kType; }
namespace collectors::selinux { extern const CollectorType kType; }
namespace collectors::slabinfo { extern const CollectorType kType; }
namespace collectors::sockstat { extern const CollectorType kType; }
namespace collectors::softirqs { extern const CollectorType kType; }
namespace collectors::softnet { extern const CollectorType kType; }
namespace collectors::stat { extern const CollectorType kType; }
namespace collectors::systemd { extern const CollectorType kType; }
namespace collectors::tcpstat { extern const CollectorType kType; }
namespace collectors::thermal_zone { extern const CollectorType kType; }
namespace collectors::time { extern const CollectorType kType; }
namespace collectors::timex { extern const CollectorType kType; }
namespace collectors::udp_queues { extern const CollectorType kType; }
namespace collectors::uname { extern const CollectorType kType; }
namespace collectors::vmstat { extern const CollectorType kType; }
namespace collectors::watchdog { extern const CollectorType kType; }
namespace collectors::xfs { extern const CollectorType kType; }
namespace collectors::zfs { extern const CollectorType kType; }
namespace collectors::textfile { extern const CollectorType kType; }
// clang-format on

namespace {

constexpr std::array kTypes = {
    &collectors::arp::kType,          &collectors::bonding::kType,    &collectors::btrfs::kType,
    &collectors::cgroup::kType,       &collectors::conntrack::kType,  &collectors::cpu::kType,
    &collectors::cpufreq::kType,      &collectors::diskstats::kType,  &collectors::dmi::kType,
    &collectors::edac::kType,         &collectors::entropy::kType,    &collectors::ethtool::kType,
    &collectors::filefd::kType,       &collectors::filesystem::kType, &collectors::hwmon::kType,
    &collectors::interrupts::kType,   &collectors::ksmd::kType,       &collectors::loadavg::kType,
    &collectors::mdadm::kType,        &collectors::meminfo::kType,    &collectors::netclass::kType,
    &collectors::netdev::kType,       &collectors::netstat::kType,    &collectors::nfs::kType,
    &collectors::nvme::kType,         &collectors::os::kType,         &collectors::powersupplyclass::kType,
    &collectors::pressure::kType,     &collectors::processes::kType,  &collectors::rapl::kType,
    &collectors::schedstat::kType,    &collectors::selinux::kType,    &collectors::slabinfo::kType,
    &collectors::sockstat::kType,     &collectors::softirqs::kType,   &collectors::softnet::kType,
    &collectors::stat::kType,         &collectors::systemd::kType,    &collectors::tcpstat::kType,
    &collectors::thermal_zone::kType, &collectors::time::kType,       &collectors::timex::kType,
    &collectors::udp_queues::kType,   &collectors::uname::kType,      &collectors::vmstat::kType,
    &collectors::watchdog::kType,     &collectors::xfs::kType,        &collectors::zfs::kType,
    &collectors::textfile::kType,  // the last, which sees what the others serve
};

constexpr std::array kCommonFlags = {
    Flag{"path.procfs", "/proc", "Where procfs is mounted"},
    Flag{"path.sysfs", "/sys", "Where sysfs is mounted"},
    Flag{"path.rootfs", "/", "Where the host's root is mounted"},
    Flag{"path.udev.data", "/run/udev/data", "Where udev keeps what it knows of devices"},
    Flag{"collector.disable-defaults", "false", "Only the collectors that are named are on"},
};

/// Names of the switches, which are made once and live as long as the program: a Flag does not own its name.
const std::deque<std::string>& switch_names() {
  static const std::deque<std::string> kNames = [] {
    std::deque<std::string> names;
    for (const CollectorType* type : kTypes) names.push_back(std::string("collector.") + type->name);
    return names;
  }();
  return kNames;
}

}  // namespace

std::span<const CollectorType* const> collector_types() { return kTypes; }

std::vector<Flag> all_flags() {
  std::vector<Flag> flags(kCommonFlags.begin(), kCommonFlags.end());
  auto name = switch_names().begin();
  for (const CollectorType* type : kTypes) {
    flags.push_back({(name++)->c_str(), type->enabled ? "true" : "false", "Switch the collector on"});
    flags.insert(flags.end(), type->flags.begin(), type->flags.end());
  }
  return flags;
}

}  // namespace connscope::host
