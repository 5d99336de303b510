// SPDX-License-Identifier: Apache-2.0
//
// FEATURES D4: /status as JSON. The members that it must have and their types are the schema; others would be news.
#include "agent/runtime/status.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "agent/metrics/registry.h"
#include "agent/runtime/self_metrics.h"

namespace connscope::runtime {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const metrics::WallTime kNow(1769860800123ms);

class StatusTest : public ::testing::Test {
 protected:
  StatusTest() : registry_(metrics::RegistryLimits{1000, [] { return kNow; }}) {
    auto self = SelfMetrics::create(registry_, "1.2.3");
    EXPECT_TRUE(self);
    self_ = std::make_unique<SelfMetrics>(std::move(*self));
    EXPECT_TRUE(self_->show_process());
    self_->show_reload(true, kNow);
    show_probe("tcp", "");
  }

  void show_probe(const std::string& name, const std::string& problem) {
    probe::ProbeReport report;
    report.up = problem.empty();
    report.hooks = {{"on_x", "tp_btf/x", "", ""}, {"on_y", "fexit/y", "refused", ""}};
    self_->show_probe(name, report, problem);
  }

  json status() { return json::parse(status_json(registry_.snapshot(), "1.2.3", kNow)); }

  metrics::Registry registry_;
  std::unique_ptr<SelfMetrics> self_;
};

TEST_F(StatusTest, HasItsSchema) {
  const json shown = status();
  std::map<std::string, std::string> types;
  for (const auto& [name, value] : shown.items()) types[name] = value.type_name();
  const std::map<std::string, std::string> schema = {
      {"status", "string"}, {"version", "string"},     {"collected_at", "string"},     {"uptime_seconds", "number"},
      {"probes", "array"},  {"lost_events", "object"}, {"config_reload_ok", "boolean"}};
  for (const auto& [name, type] : schema) EXPECT_EQ(types[name], type) << name;
  const json& probe = shown["probes"].at(0);
  EXPECT_EQ(probe["name"], "tcp");
  EXPECT_EQ(probe["up"], true);
  EXPECT_EQ(probe["problems"], json::parse(R"([{"hook":"fexit/y","reason":"refused"}])"));
  EXPECT_EQ(shown["status"], "ok");
  EXPECT_EQ(shown["version"], "1.2.3");
}

TEST_F(StatusTest, IsDegradedWhenAProbeIsOffOrTheReloadFailed) {
  self_->show_reload(false, kNow);
  EXPECT_EQ(status()["status"], "degraded");
  EXPECT_EQ(status()["config_reload_ok"], false);
  self_->show_reload(true, kNow);
  EXPECT_EQ(status()["status"], "ok");
  show_probe("dns", "no cgroup");
  EXPECT_EQ(status()["status"], "degraded");
}

TEST(Status, BeforeTheFirstCollectItIsStarting) {
  EXPECT_EQ(json::parse(status_json(nullptr, "1.2.3", kNow)), json({{"status", "starting"}, {"version", "1.2.3"}}));
}

}  // namespace
}  // namespace connscope::runtime
