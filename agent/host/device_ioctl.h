// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says of a network device by ioctl alone. Any thread; a device that lacks, or does not answer, has
// nothing. Source: include/uapi/linux/ethtool.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/kernel.h"

namespace connscope::host {

[[nodiscard]] std::optional<Driver> driver_of(const std::string& device);
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> driver_statistics_of(const std::string& device);

}  // namespace connscope::host
