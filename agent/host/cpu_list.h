// SPDX-License-Identifier: Apache-2.0
//
// CPUs and other devices that the kernel numbers. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace connscope::host {

/// "0-3,8": the CPUs of a list as the kernel writes it (cpuset(7), "List format"). What is no number is passed over,
/// and a range of more than kMostCpus is none.
[[nodiscard]] std::vector<std::uint64_t> cpus_of_list(std::string_view list);
constexpr std::uint64_t kMostCpus = 65536;

/// Whether `name` is `prefix` and a number: "cpu12".
[[nodiscard]] bool is_numbered(std::string_view name, std::string_view prefix);

}  // namespace connscope::host
