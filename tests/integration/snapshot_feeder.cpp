// SPDX-License-Identifier: Apache-2.0
//
// snapshot_feeder CONFIG FIRST LAST: gives the snapshots FIRST to LAST to each exporter of the config that takes
// snapshots, one in 20 ms, as the agent does it, and says "N" on a line of its own when all of them have taken number
// N: a test may kill it at any time and know what must not be lost. Snapshot N has the time FEED_EPOCH (a variable of
// the environment, in seconds) + N s, the gauge feed_number N, unless N is a multiple of 10 feed_transient 1, and
// feed_seconds, of 5000 values from 1 ms up by 0.2 % each, with two exemplars: one of 1 ms and N/10*10 s, one of 1 s
// and half a second later. At the end "sent N dropped N refused N" for each exporter.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "agent/metrics/registry.h"
#include "exporters/push_loop.h"
#include "exporters/report_exporter.h"

namespace {

using namespace connscope;
using namespace std::chrono_literals;
using exporters::PushCounts;
using exporters::PushLoop;

/// The metrics as they are at one number.
class Feed {
 public:
  explicit Feed(std::chrono::seconds epoch) : epoch_(epoch) {
    auto* series = registry_
                       .family<metrics::Histogram>({"feed_seconds", "Known.", "seconds", {}, ""},
                                                   metrics::BucketLayout::exponential(2, -80, 28, 4))
                       .value()
                       ->with({})
                       .value();
    for (int i = 0; i < 5000; ++i) series->observe(0.001 * std::pow(1.002, i));
  }

  metrics::ReportPtr report(int number) {
    (*level_->with({}))->set(static_cast<std::uint64_t>(number));
    transient_->clear();
    if (number % 10 != 0) (*transient_->with({}))->set(std::uint64_t{1});
    auto snapshot = std::make_shared<metrics::Snapshot>(*registry_.snapshot());
    if (number % 10 == 0) exemplars_ = exemplars_of(number);
    for (auto& family : snapshot->families)
      if (family.descriptor->name == "feed_seconds") family.exemplars = exemplars_;
    snapshot->taken_at = metrics::WallTime(epoch_ + std::chrono::seconds(number));
    metrics::Report report{"", metrics::Occasion::kPeriod, snapshot->taken_at, true, {}, {}, 0, snapshot};
    return std::make_shared<const metrics::Report>(std::move(report));
  }

 private:
  /// In the buckets that end at 1 ms and at 1 s, by the text bounds of the layout.
  [[nodiscard]] std::vector<metrics::PlacedExemplar> exemplars_of(int number) const {
    const metrics::WallTime time(epoch_ + std::chrono::seconds(number));
    const auto made = [&](double value, metrics::WallTime at) {
      return std::make_shared<const metrics::Exemplar>(
          metrics::Exemplar{{{"number", std::to_string(number)}}, value, at});
    };
    // The older one in the higher bucket: their order by bucket is not that of their times.
    return {{0, 10, made(0.001, time + 500ms)}, {0, 20, made(1, time)}};
  }

  std::chrono::seconds epoch_;
  std::vector<metrics::PlacedExemplar> exemplars_;
  metrics::Registry registry_{{100, std::chrono::system_clock::now}};
  metrics::Family<metrics::Gauge>* level_ =
      registry_.family<metrics::Gauge>({"feed_number", "The number.", "", {}, ""}).value();
  metrics::Family<metrics::Gauge>* transient_ =
      registry_.family<metrics::Gauge>({"feed_transient", "Not always.", "", {}, ""}).value();
};

/// Notes how many reports another exporter has taken.
class Noting final : public exporters::ReportExporter {
 public:
  Noting(std::unique_ptr<exporters::ReportExporter> inner, std::shared_ptr<std::atomic<int>> taken)
      : inner_(std::move(inner)), taken_(std::move(taken)) {}
  exporters::Sent send(const metrics::Report& report) override {
    exporters::Sent sent = inner_->send(report);
    ++*taken_;
    return sent;
  }
  exporters::KeptReports* kept() override { return inner_->kept(); }

 private:
  std::unique_ptr<exporters::ReportExporter> inner_;
  std::shared_ptr<std::atomic<int>> taken_;
};

struct Receiver {
  std::shared_ptr<PushCounts> counts = std::make_shared<PushCounts>();
  std::shared_ptr<std::atomic<int>> taken = std::make_shared<std::atomic<int>>(0);
  std::unique_ptr<PushLoop> loop;
};

std::vector<Receiver> make_receivers(const std::string& config) {
  auto document = config::Document::load(config);
  if (!document) {
    std::fprintf(stderr, "%s\n", document.error().message().c_str());
    return {};
  }
  std::vector<Receiver> receivers;
  for (auto& exporter : exporters::make_report_exporters(document->root(), {[](std::string_view) {}})) {
    if (!exporter.snapshot_interval) continue;
    Receiver receiver;
    receiver.loop = std::make_unique<PushLoop>(std::make_unique<Noting>(std::move(exporter.exporter), receiver.taken),
                                               receiver.counts);
    receivers.push_back(std::move(receiver));
  }
  if (const Status legal = document->finish(); !legal) std::fprintf(stderr, "%s\n", legal.error().message().c_str());
  return receivers;
}

void push(std::vector<Receiver>& receivers, const metrics::ReportPtr& report) {
  for (Receiver& receiver : receivers) {
    const int before = *receiver.taken;
    receiver.loop->push(report);
    while (*receiver.taken == before) std::this_thread::sleep_for(1ms);
  }
  std::this_thread::sleep_for(20ms);  // the pace
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int first = std::atoi(argv[2]);
  const int last = std::atoi(argv[3]);
  const char* epoch = std::getenv("FEED_EPOCH");  // NOLINT(concurrency-mt-unsafe)
  if (epoch == nullptr) return 2;
  Feed feed(std::chrono::seconds(std::atoll(epoch)));
  auto receivers = make_receivers(argv[1]);
  if (receivers.empty()) return 1;
  for (int number = first; number <= last; ++number) {
    push(receivers, feed.report(number));
    for (const Receiver& receiver : receivers) {
      if (const std::string problem = receiver.loop->problem(); !problem.empty())
        std::fprintf(stderr, "%d: %s\n", number, problem.c_str());
    }
    std::printf("%d\n", number);
    std::fflush(stdout);
  }
  for (Receiver& receiver : receivers) receiver.loop->finish(std::chrono::steady_clock::now() + 10s);
  for (Receiver& receiver : receivers) {
    receiver.loop.reset();
    const PushCounts& counts = *receiver.counts;
    std::printf("sent %llu dropped %llu refused %llu\n", static_cast<unsigned long long>(counts.reports),
                static_cast<unsigned long long>(counts.dropped), static_cast<unsigned long long>(counts.refused));
  }
  return 0;
}
