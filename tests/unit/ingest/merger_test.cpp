// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/merger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/unit/ingest/fake_kernel.h"

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

identity::ProcessRules rules(const std::string& toml) {
  auto document = config::Document::parse(toml, "test.toml");
  auto parsed = identity::ProcessRules::parse(document->root());
  EXPECT_TRUE(document->finish());
  return parsed;
}

constexpr char kRules[] =
    "[[process]]\nprefix = \"ui\"\nexe = \"*/firefox*\"\n"
    "[[process]]\nprefix = \"quiet\"\nexe = \"*/noisy\"\ncapture = false\n";

class MergerTest : public ::testing::Test {
 protected:
  static SenderPtr sender(const std::string& exe, Sender::Origin origin = Sender::Origin::kProcess, pid_t pid = 1) {
    Sender made;
    made.origin = origin;
    made.pid = pid;
    made.attributes.exe = exe;
    return std::make_shared<const Sender>(made);
  }
  Taken merge() {
    Taken taken = accumulator_.take(now_);
    merger_.apply(taken, now_);
    return taken;
  }
  Taken send(const SenderPtr& from, const std::string& packet) {
    accumulator_.add_packet(from, packet);
    return merge();
  }
  /// The value of the series of `family` with that process and, where given, that further label value.
  template <class V>
  const V& value(const std::string& family, const std::string& process, const std::string& label = {}) {
    snapshot_ = registry_.snapshot();
    for (const auto& shown : snapshot_->families) {
      if (shown.descriptor->name != family) continue;
      for (const auto& sample : shown.samples) {
        const auto& values = *sample.label_values;
        const bool has_label = label.empty() || std::find(values.begin(), values.end(), label) != values.end();
        if (values[0] == process && has_label) return std::get<V>(sample.value);
      }
    }
    throw std::runtime_error("no series " + family + " of " + process);
  }
  double counter(const std::string& family, const std::string& process, const std::string& label = {}) {
    return metrics::as_double(value<metrics::CounterValue>(family, process, label).total);
  }
  double gauge(const std::string& family, const std::string& process) {
    return metrics::as_double(value<metrics::GaugeValue>(family, process).value);
  }
  std::size_t series_of(const std::string& family) {
    snapshot_ = registry_.snapshot();
    for (const auto& shown : snapshot_->families)
      if (shown.descriptor->name == family) return shown.samples.size();
    return 0;
  }
  static std::uint64_t refused(const Taken& taken, Refusal reason) { return taken.refused[index(reason)]; }

  Limits limits_{20, 20, 100, 60s, 1s};
  Accumulator::Time now_{1000s};
  FakeKernel kernel_;
  metrics::Registry registry_{metrics::RegistryLimits{30, std::chrono::system_clock::now}};
  identity::IdentityTable identities_{kernel_, rules(kRules), {}};
  Accumulator accumulator_{limits_};
  Merger merger_{registry_, identities_, limits_};
  metrics::SnapshotPtr snapshot_;
};

TEST_F(MergerTest, L15_RulesNameTheSenderAndWorkersAreOneSeries) {
  accumulator_.add_packet(sender("/opt/firefox"), "app.x:2|c");
  accumulator_.add_packet(sender("/opt/firefox-bin"), "app.x:3|c");
  accumulator_.add_packet(sender("/usr/bin/app"), "app.x:7|c");
  merge();
  EXPECT_DOUBLE_EQ(counter("app_x", "ui"), 5);
  EXPECT_DOUBLE_EQ(counter("app_x", "app"), 7);
}

TEST_F(MergerTest, SendersThatAreNotKnownHaveAClearName) {
  send(sender("", Sender::Origin::kGone, 99), "a:1|c");
  send(sender("", Sender::Origin::kUnknown), "a:1|c");
  send(sender("", Sender::Origin::kUdp), "a:1|c");
  EXPECT_DOUBLE_EQ(counter("a", "unknown"), 2);
  EXPECT_DOUBLE_EQ(counter("a", "udp"), 1);
}

TEST_F(MergerTest, AProcessThatIsGoneIsWhomTheKernelHalfHasSeen) {
  send(sender("", Sender::Origin::kGone, FakeKernel::kPid), "a:1|c");
  EXPECT_DOUBLE_EQ(counter("a", "brief"), 1);
  // One that is not waited for yet: /proc has its name alone.
  send(sender("", Sender::Origin::kProcess, FakeKernel::kPid), "a:1|c");
  EXPECT_DOUBLE_EQ(counter("a", "brief"), 2);
}

TEST_F(MergerTest, WhatARuleExcludesIsNotShownButCounted) {
  const Taken taken = send(sender("/bin/noisy"), "a:1|c\na:2|c");
  EXPECT_EQ(refused(taken, Refusal::kExcluded), 2U);
  EXPECT_EQ(series_of("a"), 0U);
}

TEST_F(MergerTest, P4_AnotherTypeIsRefusedWithBothShapes) {
  send(sender("/bin/app"), "app.x:1|c");
  const Taken taken = send(sender("/bin/other"), "app.x:1|g\napp.x:2|g");
  EXPECT_EQ(refused(taken, Refusal::kTypeConflict), 2U);
  const Example& example = taken.examples[index(Refusal::kTypeConflict)];
  EXPECT_EQ(example.line, "app.x");
  EXPECT_THAT(example.detail, HasSubstr("is registered as counter{process}"));
  EXPECT_THAT(example.detail, HasSubstr("cannot also be gauge{process}"));
  EXPECT_DOUBLE_EQ(counter("app_x", "app"), 1);
}

TEST_F(MergerTest, ProcessesMayWriteOneNameInTwoWays) {
  send(sender("/bin/app"), "app.x:1|c");
  send(sender("/bin/other"), "app_x:2|c");
  EXPECT_DOUBLE_EQ(counter("app_x", "app"), 1);
  EXPECT_DOUBLE_EQ(counter("app_x", "other"), 2);
  EXPECT_EQ(registry_.snapshot()->families[0].descriptor->id, "app.x");
}

TEST_F(MergerTest, AFamilyGetsTheLabelsThatCome) {
  const SenderPtr app = sender("/bin/app");
  send(app, "a:1|c");
  send(app, "a:2|c|#route:/x");
  send(app, "a:3|c|#code:500,route:/x");
  send(app, "a:4|c");
  EXPECT_EQ(series_of("a"), 3U);
  EXPECT_DOUBLE_EQ(counter("a", "app"), 5);
  EXPECT_DOUBLE_EQ(counter("a", "app", "/x"), 2);
  EXPECT_DOUBLE_EQ(counter("a", "app", "500"), 3);
}

TEST_F(MergerTest, AFamilyHasSoManyLabelsAndNoMore) {
  const SenderPtr app = sender("/bin/app");
  std::uint64_t no_labels = 0;
  for (int i = 0; i < 4; ++i) {
    std::string line = "a:1|c|#";
    for (int k = 0; k < 10; ++k) line += "k" + std::to_string(10 * i + k) + ":v,";
    no_labels += refused(send(app, line), Refusal::kBadTag);
  }
  EXPECT_EQ(no_labels, 1U);
}

TEST_F(MergerTest, GaugesGoOnFromWhatIsShown) {
  const SenderPtr app = sender("/bin/app");
  send(app, "g:10|g");
  send(app, "g:-3|g");
  EXPECT_DOUBLE_EQ(gauge("g", "app"), 7);
  send(app, "g:1|g\ng:+0.5|g");
  EXPECT_DOUBLE_EQ(gauge("g", "app"), 1.5);
}

TEST_F(MergerTest, TheWorkerThatWroteLastSetsTheGauge) {
  const SenderPtr one = sender("/opt/firefox");
  const SenderPtr two = sender("/opt/firefox-bin");
  accumulator_.add_packet(two, "g:1|g");
  accumulator_.add_packet(one, "g:2|g");
  accumulator_.add_packet(two, "g:3|g");
  merge();
  EXPECT_DOUBLE_EQ(gauge("g", "ui"), 3);
}

TEST_F(MergerTest, P10_TimersAreHistogramsInSeconds) {
  send(sender("/bin/app"), "t:2|ms\nt:2000|ms");
  const auto& shown = value<metrics::HistogramValue>("t_seconds", "app");
  EXPECT_EQ(shown.counts[1], 1U);
  EXPECT_DOUBLE_EQ(shown.sum, 2.002);
}

TEST_F(MergerTest, SetsAreGaugesOfTheLastPeriod) {
  const SenderPtr app = sender("/bin/app");
  send(app, "u:ann|s\nu:bob|s");
  now_ += 1s;
  merge();
  EXPECT_DOUBLE_EQ(gauge("u", "app"), 2);
}

TEST_F(MergerTest, SeriesThatIdleGoAndBeginAnew) {
  const SenderPtr app = sender("/bin/app");
  send(app, "a:5|c");
  now_ += 60s;
  merge();
  EXPECT_EQ(series_of("a"), 0U);
  EXPECT_EQ(merger_.series(), 0U);
  send(app, "a:1|c");
  EXPECT_DOUBLE_EQ(counter("a", "app"), 1);
}

TEST_F(MergerTest, ProcessesThatAreGoneCannotBringMoreSeriesThanTheLimit) {
  std::uint64_t too_many = 0;
  for (int i = 0; i < 30; ++i)
    too_many +=
        refused(send(sender("", Sender::Origin::kGone, 99), "a:1|c|#k:" + std::to_string(i)), Refusal::kSeriesLimit);
  EXPECT_EQ(merger_.series(), 20U);
  EXPECT_EQ(series_of("a"), 20U);
  EXPECT_EQ(too_many, 10U);
}

TEST_F(MergerTest, WhatTheBudgetFoldsIsStillCountedOnce) {
  registry_.set_series_limit(2);
  for (int i = 0; i < 5; ++i) send(sender("/bin/p" + std::to_string(i)), "a:1|c");
  EXPECT_DOUBLE_EQ(counter("a", "p0"), 1);
  EXPECT_DOUBLE_EQ(counter("a", "other"), 3);
  now_ += 60s;
  merge();
  send(sender("/bin/p9"), "a:1|c");
}

TEST_F(MergerTest, ANewRuleHoldsForWhatComesAfterItAndNothingIsLost) {
  const SenderPtr app = sender("/bin/app");
  send(app, "a:1|c");
  ASSERT_TRUE(identities_.set_rules(rules("[[process]]\nprefix = \"web\"\nexe = \"/bin/app\"\n"), {}));
  send(app, "a:2|c");
  EXPECT_DOUBLE_EQ(counter("a", "app"), 1);
  EXPECT_DOUBLE_EQ(counter("a", "web"), 2);
}

}  // namespace
}  // namespace connscope::ingest
