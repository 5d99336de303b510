// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/connection_json.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

namespace connscope::terminal {
namespace {

using nlohmann::json;

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

void add_part(json& object, const char* name, const std::optional<std::uint64_t>& ns) {
  if (ns) object[name] = microseconds(*ns);
}

void add_text(json& object, const char* name, std::string_view text) {
  if (!text.empty()) object[name] = text;
}

json kinds_json(detail::Kinds kinds) {
  json names = json::array();
  if ((kinds & detail::kFailure) != 0) names.push_back("failure");
  if ((kinds & detail::kOutlier) != 0) names.push_back("outlier");
  if ((kinds & detail::kAttempt) != 0) names.push_back("attempt");
  return names;
}

}  // namespace

std::string time_text(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(), static_cast<int>((since - seconds).count()));
  return text.data();
}

json connection_json(const detail::Connection& connection, const Privacy& shown) {
  json object = {{"time", time_text(connection.time)},       {"process", connection.process},
                 {"role", detail::name_of(connection.role)}, {"stage", detail::name_of(connection.stage)},
                 {"outcome", connection.ok ? "ok" : "fail"}, {"duration_us", microseconds(connection.duration_ns)},
                 {"kinds", kinds_json(connection.kinds)}};
  add_text(object, "metric", detail::id_of(connection.metric));
  add_text(object, "reason", connection.reason);
  add_text(object, "exe", connection.exe);
  if (connection.pid != 0) object["pid"] = connection.pid;
  add_part(object, "dns_us", connection.dns_ns);
  add_part(object, "tcp_us", connection.tcp_ns);
  add_part(object, "tls_us", connection.tls_ns);
  if ((connection.kinds & detail::kOutlier) != 0) object["mean_us"] = microseconds(connection.mean_ns);
  if (shown.peers) add_text(object, "peer", connection.peer);
  if (shown.hosts) add_text(object, "host", connection.host);
  return object;
}

}  // namespace connscope::terminal
