// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/status.h"

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "agent/terminal/connection_json.h"

namespace connscope::runtime {
namespace {

using nlohmann::json;
using LabelValues = std::map<std::string, std::string>;

void for_each_sample(const metrics::Snapshot& snapshot, const std::string& name,
                     const std::function<void(const LabelValues&, const metrics::Value&)>& take) {
  for (const auto& family : snapshot.families) {
    if (family.descriptor->name != name) continue;
    for (const auto& sample : family.samples) {
      LabelValues labels;
      for (std::size_t i = 0; i < sample.label_values->size(); ++i)
        labels[family.descriptor->label_names[i]] = (*sample.label_values)[i];
      take(labels, sample.value);
    }
  }
}

metrics::Number number_of(const metrics::Value& value) {
  if (const auto* gauge = std::get_if<metrics::GaugeValue>(&value)) return gauge->value;
  if (const auto* counter = std::get_if<metrics::CounterValue>(&value)) return counter->total;
  return std::uint64_t{0};
}

/// The sum over a family's series; nothing where there is no such family.
std::optional<metrics::Number> total_of(const metrics::Snapshot& snapshot, const std::string& name) {
  std::optional<metrics::Number> total;
  for_each_sample(snapshot, name, [&](const LabelValues&, const metrics::Value& value) {
    total = total ? metrics::add(*total, number_of(value)) : number_of(value);
  });
  return total;
}

void put(json& object, const char* name, const std::optional<metrics::Number>& number) {
  if (number) object[name] = std::visit([](auto value) { return json(value); }, *number);
}

json probes_of(const metrics::Snapshot& snapshot, bool& all_up) {
  std::map<std::string, json> problems;
  for_each_sample(snapshot, "connscope_probe", [&](const LabelValues& labels, const metrics::Value&) {
    if (labels.at("reason").empty()) return;
    problems[labels.at("probe")].push_back({{"hook", labels.at("hook")}, {"reason", labels.at("reason")}});
  });
  json probes = json::array();
  for_each_sample(snapshot, "connscope_probe_up", [&](const LabelValues& labels, const metrics::Value& value) {
    const bool is_up = metrics::as_double(number_of(value)) != 0;
    all_up = all_up && is_up;
    const json& found = problems[labels.at("probe")];
    probes.push_back(
        {{"name", labels.at("probe")}, {"up", is_up}, {"problems", found.is_null() ? json::array() : found}});
  });
  return probes;
}

json lost_events_of(const metrics::Snapshot& snapshot) {
  json lost = json::object();
  for_each_sample(snapshot, "connscope_lost_events", [&](const LabelValues& labels, const metrics::Value& value) {
    if (metrics::as_double(number_of(value)) == 0) return;  // all the causes that there are would hide those
    put(lost[labels.at("probe")], labels.at("cause").c_str(), number_of(value));
  });
  return lost;
}

void describe(const metrics::Snapshot& snapshot, metrics::WallTime now, json& status) {
  bool all_up = true;
  status["collected_at"] = terminal::time_text(snapshot.taken_at);
  if (const auto started = total_of(snapshot, "process_start_time_seconds")) {
    status["uptime_seconds"] =
        std::chrono::duration<double>(now.time_since_epoch()).count() - metrics::as_double(*started);
  }
  status["probes"] = probes_of(snapshot, all_up);
  status["lost_events"] = lost_events_of(snapshot);
  put(status, "series", total_of(snapshot, "connscope_series"));
  put(status, "identities", total_of(snapshot, "connscope_identities"));
  const auto reloaded = total_of(snapshot, "connscope_config_last_reload_successful");
  const bool reload_ok = !reloaded || metrics::as_double(*reloaded) != 0;
  status["config_reload_ok"] = reload_ok;
  status["status"] = all_up && reload_ok ? "ok" : "degraded";
}

}  // namespace

std::string status_json(const metrics::SnapshotPtr& snapshot, const std::string& version, metrics::WallTime now) {
  json status = {{"status", "starting"}, {"version", version}};
  if (snapshot) describe(*snapshot, now, status);
  return status.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace connscope::runtime
