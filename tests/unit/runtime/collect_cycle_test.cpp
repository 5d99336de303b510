// SPDX-License-Identifier: Apache-2.0
//
// The collect cycle with probes made of plain memory: what it does when one of them cannot start or fails, and scrapes
// beside collects.
#include "agent/runtime/collect_cycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "agent/runtime/scrape.h"
#include "tests/unit/runtime/fake_identity_probe.h"

namespace connscope::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Counts one event at each collect.
class FakeProbe final : public probe::Probe {
 public:
  FakeProbe(const probe::ProbeContext& context, bool starts)
      : events_(context.registry.family<metrics::Counter>({"events", "Events.", "", {"process"}, "process"}).value()),
        starts_(starts) {}
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  Status start(const probe::SharedMaps& shared) override {
    EXPECT_EQ(shared.count("identities"), 1U);
    if (!starts_) return Error("refused by policy");
    up_ = true;
    return {};
  }
  void check_reload(config::Section section) const override { section.fail("size", "cannot change"); }
  void stop() override { up_ = false; }
  Status collect(std::chrono::steady_clock::time_point /*now*/) override {
    if (!up_) return {};
    events_->with({"web"}).value()->add(std::uint64_t{1});
    return {};
  }
  void retire(const std::vector<std::uint64_t>& /*identities*/) override {}
  [[nodiscard]] probe::ProbeReport report() const override {
    if (!up_) return {};
    return {true,
            {{"on_event", "tp_btf/event", problem, ""}},
            {{"on_event", 2000, 3, 0}},
            {{"cells", 1, 8}},
            {{"cells_full", 4}}};
  }
  /// Of the hook of any such probe.
  static inline std::string problem;

 private:
  metrics::Family<metrics::Counter>* events_;
  bool starts_;
  bool up_ = false;
};

std::unique_ptr<CollectCycle> make_cycle(config::Document& document, bool identity_starts, bool probe_starts) {
  const auto make_probes = [probe_starts](
                               const probe::ProbeContext& context,
                               config::Section /*section*/) -> Result<std::vector<std::unique_ptr<probe::Probe>>> {
    std::vector<std::unique_ptr<probe::Probe>> probes;
    probes.push_back(std::make_unique<FakeProbe>(context, probe_starts));
    return probes;
  };
  auto cycle = CollectCycle::create(Settings::parse(document.root()), document.root(),
                                    std::make_unique<FakeIdentityProbe>(identity_starts), make_probes, "1.2.3");
  EXPECT_TRUE(cycle) << cycle.error().message();
  return std::move(*cycle);
}

config::Document parse(const std::string& toml) { return *config::Document::parse(toml, "test.toml"); }

std::string text_of(const metrics::Snapshot& snapshot) {
  std::string text;
  exporters::make_formats().front().encoder->encode(snapshot, {}, text);
  return text;
}

TEST(CollectCycle, ShowsProbesAndTheirFigures) {
  auto document = parse("");
  const auto cycle = make_cycle(document, true, true);
  cycle->start();
  cycle->run({});
  cycle->run({});
  const std::string text = text_of(*cycle->exchange().latest());
  EXPECT_THAT(text, HasSubstr("events_total{process=\"web\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("connscope_probe_up{probe=\"fake\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("connscope_probe_info{probe=\"fake\",hook=\"tp_btf/event\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("connscope_bpf_run_seconds_total{program=\"fake/on_event\"} 2e-06\n"));
  EXPECT_THAT(text, HasSubstr("connscope_bpf_map_max_entries{map=\"fake/cells\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("connscope_lost_events_total{probe=\"fake\",cause=\"cells_full\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("connscope_collect_success{collector=\"fake\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("connscope_build_info{version=\"1.2.3\""));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes"));
}

TEST(CollectCycle, AProblemThatComesUpLaterIsToldOnceWhileItLasts) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  auto document = parse("");
  const auto cycle = make_cycle(document, true, true);
  cycle->start();
  const auto told_after = [&](const std::string& problem) {
    FakeProbe::problem = problem;
    log.str("");
    cycle->run({});
    cycle->run({});
    return std::exchange(FakeProbe::problem, ""), log.str();
  };
  EXPECT_THAT(told_after(""), Not(HasSubstr("tp_btf/event")));
  const std::string once = told_after("it is gone");
  EXPECT_THAT(once, HasSubstr("probe fake goes without tp_btf/event: it is gone"));
  EXPECT_EQ(once.find("it is gone"), once.rfind("it is gone"));
  EXPECT_THAT(told_after("it is gone"), Not(HasSubstr("it is gone")));
  EXPECT_THAT(told_after(""), Not(HasSubstr("it is gone")));
  EXPECT_THAT(told_after("it is gone"), HasSubstr("it is gone"));
  spdlog::set_default_logger(before);
}

TEST(CollectCycle, AProbeThatIsRefusedIsOffAndSaysWhy) {
  auto document = parse("");
  const auto cycle = make_cycle(document, true, false);
  cycle->start();
  cycle->run({});
  const std::string text = text_of(*cycle->exchange().latest());
  EXPECT_THAT(text, HasSubstr("connscope_probe_up{probe=\"fake\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("connscope_probe_info{probe=\"fake\",reason=\"refused by policy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("connscope_probe_up{probe=\"identity\"} 1\n"));
}

TEST(CollectCycle, WithoutIdentitiesNoProbeIsStarted) {
  auto document = parse("");
  const auto cycle = make_cycle(document, false, true);
  cycle->start();
  cycle->run({});
  const std::string text = text_of(*cycle->exchange().latest());
  EXPECT_THAT(text, HasSubstr("connscope_probe_info{probe=\"identity\",reason=\"no BTF in this kernel\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("connscope_probe_up{probe=\"fake\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("events_total{")));
}

TEST(CollectCycle, AReloadReportsWhatNeedsARestart) {
  auto document = parse("[probe.fake]\nsize = 3\n");
  const auto cycle = make_cycle(document, true, true);
  cycle->check_reload(*cycle, document.root());
  EXPECT_THAT(document.finish().error().message(), HasSubstr("test.toml:2: probe.fake.size: cannot change"));
}

TEST(CollectCycle, AReloadCannotSwitchAProbeOnOrOff) {
  auto document = parse("[probe.fake]\nenabled = false\n");
  const auto running = make_cycle(document, true, true);
  const auto no_probes = [](const probe::ProbeContext& /*context*/, config::Section /*section*/) {
    return Result<std::vector<std::unique_ptr<probe::Probe>>>(std::vector<std::unique_ptr<probe::Probe>>());
  };
  const auto wanted = CollectCycle::create(Settings::parse(document.root()), document.root(),
                                           std::make_unique<FakeIdentityProbe>(true), no_probes, "1.2.3");
  running->check_reload(**wanted, document.root());
  EXPECT_THAT(document.finish().error().message(), HasSubstr("test.toml:2: probe.fake.enabled: cannot change"));
}

TEST(CollectCycle, AScrapeOfCollectorsReadsNoProbe) {
  auto document = parse("");
  const auto cycle = make_cycle(document, true, true);
  cycle->add_host(*host::HostMetrics::create(document.root().table("host"),
                                             {{"collector.disable-defaults", "true"}, {"collector.loadavg", "true"}}));
  cycle->start();
  cycle->run({});
  cycle->run_host({});
  const std::string of_host = text_of(*cycle->host_exchange().latest());
  EXPECT_THAT(of_host, HasSubstr("node_load1 "));
  EXPECT_THAT(of_host, Not(HasSubstr("events_total")));
  cycle->run({});
  const std::string whole = text_of(*cycle->exchange().latest());
  EXPECT_THAT(whole, HasSubstr("events_total{process=\"web\"} 2\n"));  // of two collects, not three
  EXPECT_THAT(whole, HasSubstr("node_load1 "));
}

TEST(CollectCycle, ScrapesBesideCollectsSeeCountersRise) {
  auto document = parse("");
  const auto cycle = make_cycle(document, true, true);
  cycle->start();
  cycle->run({});
  const auto formats = exporters::make_formats();
  const auto routes = make_routes(cycle->exchange(), cycle->filtered(), formats, "/metrics", "1.2.3");
  std::atomic<int> open_scrapers = 4;
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i)
    scrapers.emplace_back([&] {
      for (int scrape = 0; scrape < 50; ++scrape) {
        const auto response = routes.front().handler({"GET", "/metrics", "prefix=w*", "", ""});
        EXPECT_EQ(response.status, 200);
        EXPECT_THAT(response.body, HasSubstr("events_total{process=\"web\"}"));
      }
      --open_scrapers;
    });
  while (open_scrapers > 0) cycle->run({});
  for (auto& scraper : scrapers) scraper.join();
}

TEST(Scrape, CollectorsThatCannotBeServedAreRefused) {
  SnapshotExchange exchange;
  FilteredSeries filtered;
  const auto formats = exporters::make_formats();
  const auto routes = make_routes(exchange, filtered, formats, "/metrics", "1.2.3", {&exchange, {"cpu", "loadavg"}});
  const auto answer = [&](const char* query) { return routes.front().handler({"GET", "/metrics", query, "", ""}); };
  EXPECT_EQ(answer("collect[]=nope").status, 400);
  EXPECT_EQ(answer("collect[]=nope").body, "no collector \"nope\" is on\n");
  EXPECT_EQ(answer("exclude[]=nope").status, 400);
  EXPECT_EQ(answer("collect[]=cpu&exclude[]=loadavg").body, "collect[] and exclude[] cannot be used together\n");
}

TEST(Scrape, CollectorsAreAskedForAlone) {
  SnapshotExchange whole;
  SnapshotExchange of_host;
  FilteredSeries filtered;
  const auto formats = exporters::make_formats();
  const auto routes = make_routes(whole, filtered, formats, "/metrics", "1.2.3", {&of_host, {"cpu", "loadavg"}});
  std::set<std::string> asked;
  std::thread collecting([&] {
    pollfd wake{of_host.wake_fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wake, 1, 10000), 1);
    const auto round = of_host.begin();
    asked = round.about;
    of_host.publish(std::make_shared<metrics::Snapshot>(), round);
  });
  EXPECT_EQ(routes.front().handler({"GET", "/metrics", "collect[]=cpu", "", ""}).status, 200);
  collecting.join();
  EXPECT_EQ(asked, std::set<std::string>{"cpu"});
}

}  // namespace
}  // namespace connscope::runtime
