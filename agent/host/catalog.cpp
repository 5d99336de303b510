// SPDX-License-Identifier: Apache-2.0
#include "agent/host/catalog.h"

#include <array>
#include <deque>

namespace connscope::host {

// One line a collector here, and one below: its definition is at the end of its file.
extern const CollectorType kArp;
extern const CollectorType kBonding;
extern const CollectorType kBtrfs;
extern const CollectorType kCgroup;
extern const CollectorType kConntrack;
extern const CollectorType kCpu;
extern const CollectorType kCpufreq;
extern const CollectorType kDiskstats;
extern const CollectorType kDmi;
extern const CollectorType kEdac;
extern const CollectorType kEntropy;
extern const CollectorType kEthtool;
extern const CollectorType kFilefd;
extern const CollectorType kFilesystem;
extern const CollectorType kHwmon;
extern const CollectorType kInterrupts;
extern const CollectorType kKsmd;
extern const CollectorType kLoadavg;
extern const CollectorType kMdadm;
extern const CollectorType kMeminfo;
extern const CollectorType kNetclass;
extern const CollectorType kNetdev;
extern const CollectorType kNetstat;
extern const CollectorType kNfs;
extern const CollectorType kNvme;
extern const CollectorType kOs;
extern const CollectorType kPowerSupplies;
extern const CollectorType kPressure;
extern const CollectorType kProcesses;
extern const CollectorType kRapl;
extern const CollectorType kSchedstat;
extern const CollectorType kSelinux;
extern const CollectorType kSlabinfo;
extern const CollectorType kSockstat;
extern const CollectorType kSoftirqsByCpu;
extern const CollectorType kSoftnet;
extern const CollectorType kStat;
extern const CollectorType kTcpstat;
extern const CollectorType kThermalZone;
extern const CollectorType kTime;
extern const CollectorType kTimex;
extern const CollectorType kUdpQueues;
extern const CollectorType kUname;
extern const CollectorType kVmstat;
extern const CollectorType kWatchdog;
extern const CollectorType kXfs;
extern const CollectorType kZfs;
extern const CollectorType kTextfile;

namespace {

constexpr std::array kTypes = {
    &kArp,      &kBonding,   &kBtrfs,         &kCgroup,   &kConntrack, &kCpu,        &kCpufreq,     &kDiskstats,
    &kDmi,      &kEdac,      &kEntropy,       &kEthtool,  &kFilefd,    &kFilesystem, &kHwmon,       &kInterrupts,
    &kKsmd,     &kLoadavg,   &kMdadm,         &kMeminfo,  &kNetclass,  &kNetdev,     &kNetstat,     &kNfs,
    &kNvme,     &kOs,        &kPowerSupplies, &kPressure, &kProcesses, &kRapl,       &kSchedstat,   &kSelinux,
    &kSlabinfo, &kSockstat,  &kSoftirqsByCpu, &kSoftnet,  &kStat,      &kTcpstat,    &kThermalZone, &kTime,
    &kTimex,    &kUdpQueues, &kUname,         &kVmstat,   &kWatchdog,  &kXfs,        &kZfs,
    &kTextfile,  // the last, which sees what the others serve
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
