// SPDX-License-Identifier: Apache-2.0
#include "agent/host/device_ioctl.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>

#include "agent/base/unique_fd.h"

namespace connscope::host {
namespace {

/// A driver with more would be none.
constexpr std::size_t kMostStatistics = 65536;

bool ask(const std::string& device, void* request) {
  ifreq question{};
  if (device.size() >= sizeof question.ifr_name) return false;
  std::memcpy(question.ifr_name, device.c_str(), device.size() + 1);
  question.ifr_data = static_cast<char*>(request);
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::ioctl(socket.get(), SIOCETHTOOL, &question) == 0;
}

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return std::string(field, ::strnlen(field, N));
}

/// How many strings the set of statistics has.
std::size_t count_of_statistics(const std::string& device) {
  // A structure with one number behind it.
  alignas(ethtool_sset_info) std::byte room[sizeof(ethtool_sset_info) + sizeof(std::uint32_t)] = {};
  ethtool_sset_info head{};
  head.cmd = ETHTOOL_GSSET_INFO;
  head.sset_mask = 1ULL << ETH_SS_STATS;
  std::memcpy(room, &head, sizeof head);
  if (!ask(device, room)) return 0;
  std::memcpy(&head, room, sizeof head);
  std::uint32_t count = 0;
  std::memcpy(&count, room + offsetof(ethtool_sset_info, data), sizeof count);
  return head.sset_mask != 0 && count <= kMostStatistics ? count : 0;
}

}  // namespace

std::optional<Driver> driver_of(const std::string& device) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!ask(device, &info)) return std::nullopt;
  return Driver{text_of(info.driver), text_of(info.version), text_of(info.fw_version), text_of(info.bus_info),
                text_of(info.erom_version)};
}

std::vector<std::pair<std::string, std::uint64_t>> driver_statistics_of(const std::string& device) {
  std::vector<std::pair<std::string, std::uint64_t>> statistics;
  const std::size_t count = count_of_statistics(device);
  if (count == 0) return statistics;
  std::vector<std::byte> names(sizeof(ethtool_gstrings) + count * ETH_GSTRING_LEN);
  ethtool_gstrings names_head{};
  names_head.cmd = ETHTOOL_GSTRINGS;
  names_head.string_set = ETH_SS_STATS;
  names_head.len = static_cast<std::uint32_t>(count);
  std::memcpy(names.data(), &names_head, sizeof names_head);
  std::vector<std::byte> values(sizeof(ethtool_stats) + count * sizeof(std::uint64_t));
  ethtool_stats values_head{};
  values_head.cmd = ETHTOOL_GSTATS;
  values_head.n_stats = static_cast<std::uint32_t>(count);
  std::memcpy(values.data(), &values_head, sizeof values_head);
  if (!ask(device, names.data()) || !ask(device, values.data())) return statistics;
  for (std::size_t i = 0; i < count; ++i) {
    char name[ETH_GSTRING_LEN];
    std::uint64_t value = 0;
    std::memcpy(name, names.data() + sizeof names_head + i * sizeof name, sizeof name);
    std::memcpy(&value, values.data() + sizeof values_head + i * sizeof value, sizeof value);
    statistics.emplace_back(text_of(name), value);
  }
  return statistics;
}

}  // namespace connscope::host
