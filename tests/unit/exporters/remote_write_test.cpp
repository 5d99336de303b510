// SPDX-License-Identifier: Apache-2.0
//
// What remote write sends, read by protozero's decoder; and what becomes of it when the receiver is down, refuses, or
// the agent begins anew. What real receivers make of it: tests/integration/exporter_servers_test.py.
#include "exporters/remote_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <snappy.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "agent/metrics/registry.h"
#include "tests/support/bad_receiver.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/exporters/reports.h"

namespace connscope::exporters {
namespace {

using namespace std::chrono_literals;
using connscope::testing::BadReceiver;
using connscope::testing::Behaviour;
using protozero::pbf_reader;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr std::uint64_t kStale = 0x7ff0'0000'0000'0002;

/// An exemplar as ` # label=value value @time`.
std::string read_exemplar(pbf_reader exemplar) {
  std::string text = " #";
  while (exemplar.next()) {
    if (exemplar.tag() == 1) {
      pbf_reader label = exemplar.get_message();
      text += ' ';
      while (label.next()) text += (text.back() == ' ' ? "" : "=") + label.get_string();
    } else if (exemplar.tag() == 2) {
      text += ' ' + std::to_string(exemplar.get_double()).substr(0, 4);
    } else {
      text += " @" + std::to_string(exemplar.get_int64());
    }
  }
  return text;
}

/// One time series as `label=value,label=value value @time`, with its labels in the order in which they came, and its
/// exemplars.
std::string read_series(pbf_reader series) {
  std::string name;
  std::string labels;
  std::string sample;
  std::string exemplars;
  while (series.next()) {
    if (series.tag() == 1) {
      pbf_reader label = series.get_message();
      std::map<std::uint32_t, std::string> fields;
      while (label.next()) {
        const std::uint32_t tag = label.tag();  // before the field is read
        fields[tag] = label.get_string();
      }
      if (fields[1] == "__name__") name = fields[2];
      labels += (labels.empty() ? "" : ",") + fields[1] + "=" + fields[2];
    } else if (series.tag() == 2) {
      pbf_reader point = series.get_message();
      while (point.next()) {
        if (point.tag() == 2) {
          sample += " @" + std::to_string(point.get_int64());
          continue;
        }
        const double value = point.get_double();
        sample = std::bit_cast<std::uint64_t>(value) == kStale ? "stale" : std::to_string(value).substr(0, 4);
      }
    } else if (series.tag() == 3) {
      exemplars += read_exemplar(series.get_message());
    } else {
      sample = "native";
      series.skip();
    }
  }
  return labels + " " + sample + exemplars;
}

std::vector<std::string> read_request(std::string_view bytes) {
  std::vector<std::string> series;
  pbf_reader request(bytes.data(), bytes.size());
  while (request.next(1)) series.push_back(read_series(request.get_message()));
  return series;
}

std::vector<std::string> encoded(const metrics::Snapshot* before, const metrics::Snapshot& after,
                                 const RemoteWriteForm& form = {}) {
  std::vector<std::string> all;
  encode_remote_write(before, after, {}, form, [&all](std::string_view request, std::uint32_t samples) {
    const auto series = read_request(request);
    EXPECT_EQ(series.size(), samples);
    all.insert(all.end(), series.begin(), series.end());
  });
  return all;
}

metrics::WallTime at(int seconds) { return metrics::WallTime(std::chrono::seconds(seconds)); }

/// A registry whose snapshots have the times that the test says.
class Metrics {
 public:
  metrics::Family<metrics::Counter>& counters() { return *counters_; }
  metrics::Registry& registry() { return registry_; }
  metrics::SnapshotPtr snapshot(int seconds) {
    auto made = std::make_shared<metrics::Snapshot>(*registry_.snapshot());
    made->taken_at = at(seconds);
    return made;
  }

 private:
  metrics::Registry registry_{{100, [] { return at(1); }}};
  metrics::Family<metrics::Counter>* counters_ =
      registry_.family<metrics::Counter>({"x", "", "", {"b", "instance"}, ""}).value();
};

TEST(RemoteWriteEncoder, LabelsAreSortedAndExternalOnesReplaceNone) {
  Metrics metrics;
  (*metrics.counters().with({"1", ""}))->add(std::uint64_t{7});
  (*metrics.counters().with({"", "own"}))->add(std::uint64_t{8});
  const RemoteWriteForm form{{{"instance", "web1"}, {"a", "z"}, {"Z", "capital"}}};
  EXPECT_THAT(encoded(nullptr, *metrics.snapshot(2), form),
              ElementsAre("Z=capital,__name__=x_total,a=z,b=1,instance=web1 7.00 @2000",
                          "Z=capital,__name__=x_total,a=z,instance=own 8.00 @2000"));
}

TEST(RemoteWriteEncoder, WhatIsNoUtf8IsMended) {
  metrics::Snapshot snapshot = *Metrics().snapshot(2);
  metrics::Sample sample;
  sample.label_values = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a\xff", "\xfe"});
  sample.value = metrics::CounterValue{std::uint64_t{1}, {}};
  snapshot.families.front().samples = {sample};
  EXPECT_THAT(encoded(nullptr, snapshot), ElementsAre("__name__=x_total,b=a\uFFFD,instance=\uFFFD 1.00 @2000"));
}

TEST(RemoteWriteEncoder, AHistogramIsClassicNativeOrBoth) {
  Metrics metrics;
  const auto add = [&metrics](const char* name, metrics::BucketLayout::Ptr layout) {
    auto* family = metrics.registry().family<metrics::Histogram>({name, "", "", {}, ""}, std::move(layout)).value();
    (*family->with({}))->observe(1.5);
  };
  add("exact", metrics::BucketLayout::create({1, 2}).value());
  add("fine", metrics::BucketLayout::exponential(0, 0, 1, 1));
  const auto snapshot = metrics.snapshot(2);
  const std::vector<std::string> exact = {
      "__name__=exact_bucket,le=1.0 0.00 @2000", "__name__=exact_bucket,le=2.0 1.00 @2000",
      "__name__=exact_bucket,le=+Inf 1.00 @2000", "__name__=exact_count 1.00 @2000", "__name__=exact_sum 1.50 @2000"};
  const auto classic = encoded(nullptr, *snapshot);
  EXPECT_THAT(classic, IsSupersetOf(exact));
  EXPECT_EQ(classic.size(), 10U);
  const auto native = encoded(nullptr, *snapshot, {{}, false, true});
  EXPECT_THAT(native, IsSupersetOf(exact)) << "its bounds are no schema's";
  EXPECT_THAT(native, ::testing::Contains("__name__=fine native"));
  EXPECT_EQ(native.size(), 6U);
  EXPECT_EQ(encoded(nullptr, *snapshot, {{}, true, true}).size(), 11U);
}

TEST(RemoteWriteEncoder, ExemplarsAreSentOnceWhereTheyAreWanted) {
  Metrics metrics;
  (*metrics.counters().with({"1", ""}))->add(std::uint64_t{7});
  auto* family = metrics.registry()
                     .family<metrics::Histogram>({"y", "", "", {}, ""}, metrics::BucketLayout::exponential(0, 0, 1, 1))
                     .value();
  for (const double value : {0.5, 1.5, 9.0}) (*family->with({}))->observe(value);
  const auto exemplar = [](const char* peer, double value, int seconds) {
    return std::make_shared<const metrics::Exemplar>(metrics::Exemplar{{{"peer", peer}}, value, at(seconds)});
  };
  metrics::Snapshot first = *metrics.snapshot(4);
  first.families[0].exemplars = {{0, 0, exemplar("\xff", 1, 1)}};
  first.families[1].exemplars = {{0, 1, exemplar("b", 1.5, 3)}, {0, 2, exemplar("c", 9, 2)}};
  RemoteWriteForm form{{}, true, true, true};
  const auto sent = encoded(nullptr, first, form);
  EXPECT_THAT(sent, IsSupersetOf({"__name__=x_total,b=1 7.00 @4000 # peer=\uFFFD 1.00 @1000",
                                  "__name__=y native # peer=c 9.00 @2000 # peer=b 1.50 @3000",
                                  "__name__=y_bucket,le=2.0 2.00 @4000 # peer=b 1.50 @3000",
                                  "__name__=y_bucket,le=+Inf 3.00 @4000 # peer=c 9.00 @2000"}));
  EXPECT_THAT(sent, ::testing::Contains("__name__=y_bucket,le=1.0 1.00 @4000"));
  metrics::Snapshot second = first;
  second.families[1].exemplars[0].exemplar = exemplar("d", 1.25, 4);
  EXPECT_THAT(encoded(&first, second, form),
              IsSupersetOf({"__name__=x_total,b=1 7.00 @4000", "__name__=y native # peer=d 1.25 @4000",
                            "__name__=y_bucket,le=2.0 2.00 @4000 # peer=d 1.25 @4000",
                            "__name__=y_bucket,le=+Inf 3.00 @4000"}));
  form.exemplars = false;
  EXPECT_THAT(encoded(nullptr, first, form), Not(::testing::Contains(HasSubstr("#"))));
}

TEST(RemoteWriteEncoder, WhatIsThereNoMoreIsStaleOnce) {
  Metrics metrics;
  (*metrics.counters().with({"stays", ""}))->add(std::uint64_t{1});
  (*metrics.counters().with({"goes", ""}))->add(std::uint64_t{1});
  (*metrics.counters().with({"returns", ""}))->add(std::uint64_t{1});
  const auto first = metrics.snapshot(1);
  ASSERT_TRUE(metrics.counters().remove({"goes", ""}));
  ASSERT_TRUE(metrics.counters().remove({"returns", ""}));
  (*metrics.counters().with({"returns", ""}))->add(std::uint64_t{5});
  const auto second = metrics.snapshot(2);
  EXPECT_THAT(encoded(first.get(), *second),
              ElementsAre("__name__=x_total,b=stays 1.00 @2000", "__name__=x_total,b=returns 5.00 @2000",
                          "__name__=x_total,b=goes stale @2000"));
  EXPECT_EQ(encoded(second.get(), *metrics.snapshot(3)).size(), 2U);
  const metrics::Snapshot empty{{}, at(4)};
  EXPECT_THAT(encoded(second.get(), empty),
              ElementsAre("__name__=x_total,b=stays stale @4000", "__name__=x_total,b=returns stale @4000"));
}

TEST(RemoteWriteEncoder, ALargeSnapshotIsSeveralRequests) {
  metrics::Registry registry({30000, [] { return at(1); }});
  auto* family = registry.family<metrics::Counter>({"x", "", "", {"label"}, ""}).value();
  for (int i = 0; i < 20000; ++i) (*family->with({std::string(100, 'v') + std::to_string(i)}))->add(std::uint64_t{1});
  std::uint32_t all = 0;
  int requests = 0;
  encode_remote_write(nullptr, *registry.snapshot(), {}, {}, [&](std::string_view request, std::uint32_t samples) {
    EXPECT_LT(request.size(), (1U << 20U) + 1000);
    all += samples;
    ++requests;
  });
  EXPECT_EQ(all, 20000U);
  EXPECT_GE(requests, 3);
}

/// The exporter with its queue in a folder of the test, and a receiver.
class RemoteWriteTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReportExporter> make(const std::string& more = "") {
    const std::string text = "[exporter.remote_write]\ntimeout = \"300ms\"\nurl = \"" + receiver_.url() +
                             "/write\"\nqueue = \"" + folder_.path() + "\"\ninstance = \"\"\njob = \"\"\n" + more;
    const auto document = config::Document::parse(text, "c.toml").value();
    auto exporters = make_report_exporters(document.root(), {[](std::string_view) {}});
    EXPECT_TRUE(document.finish()) << document.finish().error().message();
    for (auto& exporter : exporters)
      if (exporter.name == "remote_write") return std::move(exporter.exporter);
    return nullptr;
  }

  /// A snapshot of one series, x_total{b="SECONDS"}, taken then.
  static metrics::Report report(int seconds) {
    Metrics metrics;
    (*metrics.counters().with({std::to_string(seconds), ""}))->add(std::uint64_t{1});
    metrics::Report made = test::report_of({});
    made.snapshot = metrics.snapshot(seconds);
    return made;
  }

  static Sent keep(ReportExporter& exporter, int seconds) {
    Sent sent = exporter.send(report(seconds));
    EXPECT_TRUE(sent.status) << sent.status.error().message();
    return sent;
  }

  /// Until nothing is kept, or the receiver asks for a pause: the sum.
  static Sent forward_all(ReportExporter& exporter) {
    Sent sum;
    while (exporter.kept()->size() != 0 && !sum.retry_after) {
      const Sent sent = exporter.kept()->forward();
      sum.packets += sent.packets;
      sum.refused += sent.refused;
      sum.finished += sent.finished;
      sum.dropped += sent.dropped;
      sum.status = sent.status;
      sum.retry_after = sent.retry_after;
    }
    return sum;
  }

  /// The times of x_total's samples, in the order in which they were taken; ends of series are left out.
  [[nodiscard]] std::vector<std::string> arrived() const {
    std::vector<std::string> times;
    for (const std::string& request : receiver_.received()) {
      std::string bytes;
      const std::string body = request.substr(request.find("\r\n\r\n") + 4);
      if (!snappy::Uncompress(body.data(), body.size(), &bytes)) continue;
      for (const std::string& series : read_request(bytes))
        if (series.find("stale") == std::string::npos) times.push_back(series.substr(series.find('@') + 1));
    }
    return times;
  }

  void answer(const std::string& status, const std::string& headers = "") {
    receiver_.behave(Behaviour::kAnswer, "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: 0\r\n\r\n");
  }

  connscope::testing::TempDir folder_ = connscope::testing::TempDir::create().value();
  BadReceiver receiver_{Behaviour::kAnswer, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"};
};

TEST_F(RemoteWriteTest, L30_ARequestIsWhatTheSpecificationAsksFor) {
  const auto exporter = make();
  keep(*exporter, 1);
  const Sent sent = forward_all(*exporter);
  ASSERT_TRUE(sent.status) << sent.status.error().message();
  EXPECT_EQ(sent.finished, 1U);
  const std::string request = receiver_.received().back();
  EXPECT_THAT(request, ::testing::StartsWith("POST /write HTTP/1.1\r\n"));
  for (const char* header : {"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                             "X-Prometheus-Remote-Write-Version: 0.1.0", "User-Agent: connscope"})
    EXPECT_THAT(request, HasSubstr(std::string("\r\n") + header + "\r\n"));
  EXPECT_THAT(arrived(), ElementsAre("1000"));
}

TEST_F(RemoteWriteTest, AReceiverThatIsDownLosesNothingAndGetsAllInOrder) {
  const auto exporter = make();
  receiver_.behave(Behaviour::kReset);
  for (int i = 1; i <= 3; ++i) {
    keep(*exporter, i);
    EXPECT_TRUE(exporter->kept()->forward().retry_after);
  }
  EXPECT_EQ(exporter->kept()->size(), 3U);
  answer("200 OK");
  const Sent sent = forward_all(*exporter);
  EXPECT_EQ(sent.finished, 3U);
  auto times = arrived();  // what was reset had arrived too
  times.erase(std::unique(times.begin(), times.end()), times.end());
  EXPECT_THAT(times, ElementsAre("1000", "2000", "3000"));
}

TEST_F(RemoteWriteTest, RetryAfterIsHeardAnd4xxIsGivenUp) {
  const auto exporter = make();
  keep(*exporter, 1);
  answer("429 Slow", "Retry-After: 7\r\n");
  EXPECT_EQ(forward_all(*exporter).retry_after, 7s);
  answer("503 Down");
  EXPECT_EQ(forward_all(*exporter).retry_after, 0s);
  answer("400 Bad");
  const Sent refused = forward_all(*exporter);
  EXPECT_FALSE(refused.retry_after);
  EXPECT_EQ(refused.refused, 1U);
  EXPECT_EQ(refused.finished, 0U) << "it did not arrive";
  EXPECT_THAT(refused.status.error().message(), HasSubstr("answers 400"));
  EXPECT_EQ(exporter->kept()->size(), 0U);
}

TEST_F(RemoteWriteTest, WhatIsKeptOutlivesTheAgent) {
  keep(*make(), 1);
  const auto exporter = make();
  keep(*exporter, 2);
  EXPECT_EQ(forward_all(*exporter).finished, 2U);
  EXPECT_THAT(arrived(), ElementsAre("1000", "2000"));
}

TEST_F(RemoteWriteTest, AReloadKeepsTheQueueAndAnotherReceiverHasItsOwn) {
  auto old = make();
  keep(*old, 1);
  const auto next = make("queue_mebibytes = 1\n");
  next->take_over(*old);
  old.reset();
  EXPECT_EQ(next->kept()->size(), 1U);
  keep(*next, 2);
  EXPECT_EQ(forward_all(*next).finished, 2U);
  keep(*next, 3);
  BadReceiver elsewhere(Behaviour::kAnswer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const std::string text =
      "[exporter.remote_write]\nurl = \"" + elsewhere.url() + "\"\nqueue = \"" + folder_.path() + "\"\n";
  const auto document = config::Document::parse(text, "c.toml").value();
  for (auto& exporter : make_report_exporters(document.root(), {[](std::string_view) {}})) {
    if (exporter.name != "remote_write") continue;
    EXPECT_TRUE(exporter.wants_each_snapshot);
    exporter.exporter->take_over(*next);
    EXPECT_EQ(exporter.exporter->kept()->size(), 0U);
  }
}

TEST_F(RemoteWriteTest, ASecondExporterToTheSameQueueIsRefused) {
  const auto exporter = make();
  keep(*exporter, 1);
  const Sent sent = make()->send(report(2));
  ASSERT_FALSE(sent.status);
  EXPECT_THAT(sent.status.error().message(), HasSubstr("is the queue of another exporter"));
  EXPECT_EQ(sent.dropped, 1U) << "each loss is counted";
}

TEST_F(RemoteWriteTest, WhatTheDiskSpoiledIsCountedAndTheRestSent) {
  keep(*make(), 1);
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path()))
    if (file.is_regular_file()) std::filesystem::resize_file(file.path(), 20);
  const auto exporter = make();
  keep(*exporter, 2);
  const Sent sent = forward_all(*exporter);
  EXPECT_EQ(sent.dropped, 1U);
  EXPECT_EQ(sent.finished, 1U);
  EXPECT_THAT(arrived(), ElementsAre("2000"));
}

TEST_F(RemoteWriteTest, TheSameSnapshotIsKeptOnce) {
  const auto exporter = make();
  const metrics::Report twice = report(1);
  EXPECT_TRUE(exporter->send(twice).status);
  EXPECT_TRUE(exporter->send(twice).status);
  EXPECT_EQ(exporter->kept()->size(), 1U);
}

TEST_F(RemoteWriteTest, BadReceiversAreGivenUpInTime) {
  const auto exporter = make();
  keep(*exporter, 1);
  for (const Behaviour behaviour : {Behaviour::kHang, Behaviour::kGarbage, Behaviour::kEndless}) {
    receiver_.behave(behaviour);
    const auto begin = std::chrono::steady_clock::now();
    const Sent sent = exporter->kept()->forward();
    EXPECT_TRUE(sent.retry_after);
    EXPECT_THAT(sent.status.error().message(), HasSubstr(receiver_.url()));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  }
  EXPECT_EQ(exporter->kept()->size(), 1U);
}

}  // namespace
}  // namespace connscope::exporters
