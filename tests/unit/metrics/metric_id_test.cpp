// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/metric_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/metrics/registry.h"

namespace connscope::metrics {
namespace {

using testing::HasSubstr;

FamilyDescriptor descriptor(std::string id, std::vector<std::string> labels = {}) {
  return {"a", "", "", std::move(labels), "", std::move(id)};
}

std::string refusal(const std::string& id, std::vector<std::string> labels = {}) {
  const Status legal = check_id(descriptor(id, std::move(labels)));
  return legal ? "" : legal.error().message();
}

TEST(MetricId, L15_TheProcessComesBeforeTheId) {
  const MetricId id = metric_id(descriptor("n.cn.tcp", {"process", "ip_family"}), {"ui", "ipv4"});
  EXPECT_EQ(id.name(), "ui.n.cn.tcp");
  EXPECT_EQ(id.prefix, "ui");
  EXPECT_EQ(id.tags, (Labels{{"ip_family", "ipv4"}}));
}

TEST(MetricId, WhatIsTheAgentsOwnHasNoPrefix) { EXPECT_EQ(metric_id(descriptor("cpu.svc"), {}).name(), "cpu.svc"); }

TEST(MetricId, EmptyLabelsAreNoTags) {
  const MetricId id = metric_id(descriptor("n.cn.tcp", {"process", "netns"}), {"ui", ""});
  EXPECT_TRUE(id.tags.empty());
}

TEST(MetricId, AnIdTakesInTheFirstOfItsLabelsThatHasAValue) {
  const FamilyDescriptor rx = descriptor("vh.{listener|role}.rx", {"process", "role", "listener"});
  const MetricId listener = metric_id(rx, {"web", "server", "10.0.0.1:443"});
  EXPECT_EQ(listener.name(), "web.vh.10_0_0_1_443.rx");
  EXPECT_EQ(listener.tags, (Labels{{"role", "server"}}));
  const MetricId client = metric_id(rx, {"web", "client", ""});
  EXPECT_EQ(client.name(), "web.vh.client.rx");
  EXPECT_TRUE(client.tags.empty());
  EXPECT_EQ(metric_id(rx, {"web", "", ""}).name(), "web.vh.none.rx");
}

TEST(MetricId, FamiliesWithoutAnIdHaveOneThatFollowsFromTheirName) {
  EXPECT_EQ(default_id("conn_tcp_accept_wait_seconds"), "n.cn.tcp.accept_wait_seconds");
  EXPECT_EQ(default_id("conn_failures"), "n.cn.failures");
  EXPECT_EQ(default_id("connscope_probe_up"), "agent.probe_up");
  EXPECT_EQ(default_id("process_cpu_seconds"), "process.cpu_seconds");
  EXPECT_EQ(default_id("up"), "up");
  for (const char* name : {"_a", "a_", "_", "conn_", "a:b_c"}) {
    FamilyDescriptor family = descriptor(default_id(name));
    EXPECT_EQ(check_id(family).has_value(), std::string_view(name) != "conn_") << name;
  }
}

TEST(MetricId, WhatIsNoIdIsRefusedWithWhatIsAllowed) {
  for (const char* id : {"", ".", "a.", ".a", "a..b", "a b", "a\nb", "a*"})
    EXPECT_THAT(refusal(id), HasSubstr("must be parts of letters")) << id;
  EXPECT_THAT(refusal("a.{x"), HasSubstr("without its }"));
  EXPECT_THAT(refusal("a.{x|y}", {"x"}), HasSubstr("takes in \"y\""));
  EXPECT_EQ(refusal("a.{x|y}.rx", {"x", "y"}), "");
}

TEST(MetricId, NoTwoFamiliesShareAnId) {
  Registry registry;
  ASSERT_TRUE(registry.family<Counter>({"a_b", "", "", {}, ""}));
  EXPECT_TRUE(registry.family<Counter>({"a_b", "", "", {}, ""})) << "the same family once more";
  const auto other = registry.family<Counter>({"x", "", "", {}, "", "a.b"});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), HasSubstr("id \"a.b\" is another family's"));
  const auto renamed = registry.family<Counter>({"a_b", "", "", {}, "", "c"});
  ASSERT_FALSE(renamed);
  EXPECT_THAT(renamed.error().message(), HasSubstr("id c"));
}

}  // namespace
}  // namespace connscope::metrics
