// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/connection.h"

#include <array>

namespace connscope::detail {
namespace {

constexpr std::array<std::string_view, kMetrics> kIds = {"n.cn.dns", "n.cn.adns", "n.cn.tcp",
                                                         "",         "n.cn.tls",  "n.ss.conn"};
constexpr std::array<std::string_view, 4> kStages = {"dns", "tcp", "tls", "attempt"};

}  // namespace

std::string_view id_of(Metric metric) { return kIds[static_cast<std::size_t>(metric)]; }

std::optional<Metric> metric_of(std::string_view id) {
  for (std::size_t metric = 0; metric < kMetrics; ++metric)
    if (!id.empty() && kIds[metric] == id) return static_cast<Metric>(metric);
  return std::nullopt;
}

std::string_view name_of(Stage stage) { return kStages[static_cast<std::size_t>(stage)]; }

std::string_view name_of(Role role) { return role == Role::kClient ? "client" : "server"; }

}  // namespace connscope::detail
