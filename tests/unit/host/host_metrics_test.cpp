// SPDX-License-Identifier: Apache-2.0
#include "agent/host/host_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agent/host/catalog.h"
#include "exporters/prometheus_text.h"
#include "tests/unit/host/fixture.h"

namespace connscope::host {
namespace {

using std::chrono::seconds;
using testing::FakeKernel;
using testing::fixture_kernel;
using ::testing::HasSubstr;
using testing::make_collector;
using ::testing::Not;

const CollectorType& type_of(std::string_view name) {
  for (const CollectorType* type : collector_types())
    if (type->name == name) return *type;
  throw std::invalid_argument("no such collector");
}

struct World {
  explicit World(const std::vector<std::string>& names, std::chrono::milliseconds interval = {}) {
    auto owned = std::make_unique<FakeKernel>(fixture_kernel());
    kernel = owned.get();
    std::vector<std::unique_ptr<Collector>> collectors;
    for (const auto& name : names) collectors.push_back(make_collector(type_of(name)));
    metrics = std::make_unique<HostMetrics>(std::move(collectors), std::move(owned), interval);
  }
  std::string scrape(seconds at, const std::set<std::string>& asked = {}) {
    metrics::Snapshot snapshot;
    metrics->collect(HostMetrics::Clock::time_point(seconds(1000) + at), snapshot, asked);
    std::string text;
    exporters::PrometheusTextEncoder().encode(snapshot, {}, text);
    return text;
  }
  FakeKernel* kernel = nullptr;
  std::unique_ptr<HostMetrics> metrics;
};

TEST(HostMetrics, OneThatFailsDoesNotConcernTheOthers) {
  World world({"loadavg", "filefd"});
  world.kernel->files["proc/loadavg"] = "nonsense\n";
  const std::string text = world.scrape(seconds(0));
  EXPECT_THAT(text, HasSubstr("node_scrape_collector_success{collector=\"loadavg\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("node_scrape_collector_success{collector=\"filefd\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("node_filefd_allocated"));
  EXPECT_THAT(text, Not(HasSubstr("node_load1")));
  EXPECT_EQ(world.metrics->outcomes()[0].status.error().message(), "loadavg: not understood: \"nonsense\n\"");
  world.kernel->files["proc/loadavg"] = "0.25 1 2 1/2 3\n";
  EXPECT_THAT(world.scrape(seconds(1)), HasSubstr("node_load1 0.25\n"));
}

TEST(HostMetrics, WhatWasReadStaysGoodForTheInterval) {
  World world({"loadavg"}, seconds(10));
  world.kernel->files["proc/loadavg"] = "0.25 1 2 1/2 3\n";
  EXPECT_THAT(world.scrape(seconds(0)), HasSubstr("node_load1 0.25\n"));
  world.kernel->files["proc/loadavg"] = "0.5 1 2 1/2 3\n";
  EXPECT_THAT(world.scrape(seconds(9)), HasSubstr("node_load1 0.25\n"));
  EXPECT_THAT(world.scrape(seconds(10)), HasSubstr("node_load1 0.5\n"));
}

TEST(HostMetrics, OnlyThoseThatAreAskedForAreRead) {
  World world({"loadavg", "filefd"});
  world.kernel->files["proc/sys/fs/file-nr"] = "1 0 9\n";
  (void)world.scrape(seconds(0));
  world.kernel->files["proc/loadavg"] = "7 7 7 1/2 3\n";
  world.kernel->files["proc/sys/fs/file-nr"] = "2 0 9\n";
  const std::string text = world.scrape(seconds(1), {"loadavg"});
  EXPECT_THAT(text, HasSubstr("node_load1 7\n"));
  EXPECT_THAT(text, HasSubstr("node_filefd_allocated 1\n"));
  EXPECT_THAT(text, HasSubstr("node_scrape_collector_success{collector=\"filefd\"} 1\n"));
  EXPECT_THAT(world.scrape(seconds(2)), HasSubstr("node_filefd_allocated 2\n"));
}

TEST(HostMetrics, IdleTimeThatFallsIsHeld) {
  World world({"cpu"});
  const auto stat = [&](const char* idle) {
    world.kernel->files["proc/stat"] = std::string("cpu0 1 1 1 ") + idle + " 5\n";
  };
  stat("90000");
  EXPECT_THAT(world.scrape(seconds(0)), HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 900\n"));
  stat("89990");
  EXPECT_THAT(world.scrape(seconds(1)), HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 900\n"));
  stat("100");  // it was taken off, and is back
  EXPECT_THAT(world.scrape(seconds(2)), HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1\n"));
}

TEST(HostMetrics, ATextFileCannotTakeANameThatIsServed) {
  World world({"loadavg", "textfile"});
  const std::string text = world.scrape(seconds(0));
  EXPECT_THAT(text, HasSubstr("node_textfile_scrape_error 1\n"));
  EXPECT_THAT(text, HasSubstr("\nplain 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("unique_here")));
  EXPECT_THAT(text, Not(HasSubstr("\nfine 1\n")));
  const std::string folder = "/var/lib/prometheus/node-exporter/";
  EXPECT_EQ(world.metrics->outcomes()[1].status.error().message(),
            folder + "bad.prom: line 2: the value of label a is not in quotes; " + folder +
                "clash.prom: \"node_load1\" is served already");
}

TEST(Flags, AreCheckedByName) {
  const auto error = [](HostMetrics::GivenFlags given) {
    const auto document = config::Document::parse("", "test");
    const auto made = HostMetrics::create(document->root().table("host"), given);
    return made ? std::string() : made.error().message();
  };
  EXPECT_EQ(error({}), "");
  EXPECT_THAT(error({{"collector.vmstat.fields", "("}}), HasSubstr("--collector.vmstat.fields: \"(\" is no regular"));
  EXPECT_EQ(error({{"collector.netdev.device-include", "a"}, {"collector.netdev.device-exclude", "b"}}),
            "--collector.netdev.device-include and --collector.netdev.device-exclude cannot both be given");
  EXPECT_THAT(error({{"collector.filesystem.mount-timeout", "0s"}}), HasSubstr("is no duration"));
  EXPECT_THAT(error({{"collector.textfile.directory", "x"}}), HasSubstr("is no absolute path"));
}

TEST(Flags, ChooseTheCollectors) {
  const auto names = [](HostMetrics::GivenFlags given) {
    const auto document = config::Document::parse("", "test");
    return (*HostMetrics::create(document->root().table("host"), given))->names();
  };
  EXPECT_THAT(names({}), ::testing::IsSupersetOf({"cpu", "meminfo", "textfile"}));
  EXPECT_THAT(names({}), Not(::testing::Contains("interrupts")));
  EXPECT_THAT(names({{"collector.interrupts", "true"}}), ::testing::Contains("interrupts"));
  EXPECT_THAT(names({{"collector.cpu", "false"}}), Not(::testing::Contains("cpu")));
  EXPECT_THAT(names({{"collector.disable-defaults", "true"}, {"collector.cpu", "true"}}),
              ::testing::ElementsAre("cpu"));
}

TEST(Filter, RemembersAndJudgesBothWays) {
  auto filter = Filter::create("^eth", "0$");
  ASSERT_TRUE(filter);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(filter->passes("eth1"));
    EXPECT_FALSE(filter->passes("eth0"));
    EXPECT_FALSE(filter->passes("lo"));
  }
}

}  // namespace
}  // namespace connscope::host
