// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/accumulator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;

constexpr Accumulator::Time kStart{1000s};

SenderPtr sender(const std::string& exe, Sender::Origin origin = Sender::Origin::kProcess) {
  Sender made;
  made.origin = origin;
  made.attributes.exe = exe;
  return std::make_shared<const Sender>(made);
}

const Taken::Update* find(const Taken& taken, const std::string& family, const SenderPtr& of = nullptr) {
  for (const auto& update : taken.updates)
    if (update.key->family == family && (!of || update.key->sender == of)) return &update;
  return nullptr;
}

std::uint64_t refused(const Taken& taken, Refusal reason) { return taken.refused[index(reason)]; }

class AccumulatorTest : public ::testing::Test {
 protected:
  void send(const std::string& packet) { accumulator_.add_packet(app_, packet); }
  template <class D>
  D delta_of(const std::string& family) {
    const Taken taken = accumulator_.take(now_);
    const auto* update = find(taken, family);
    if (update == nullptr) throw std::runtime_error("no update of " + family);
    return std::get<D>(update->delta);
  }

  SenderPtr app_ = sender("/bin/app");
  Accumulator::Time now_ = kStart;
  Limits limits_{5, 3, 4, 60s, 10s};
  Accumulator accumulator_{limits_};
};

TEST_F(AccumulatorTest, SeveralLinesAPacketAreTakenAndEmptyOnesPassedOver) {
  send("a:1|c\nb:2|g\n\na:3|c\n");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.lines, 3U);
  EXPECT_EQ(taken.packets_unix, 1U);
  EXPECT_EQ(std::get<CounterDelta>(find(taken, "a")->delta).whole, 4U);
  EXPECT_EQ(find(taken, "a")->lines, 2U);
}

TEST_F(AccumulatorTest, WhatIsTakenIsNotGivenAgain) {
  send("a:1|c\nt:5|ms");
  EXPECT_EQ(accumulator_.take(now_).updates.size(), 2U);
  EXPECT_TRUE(accumulator_.take(now_).updates.empty());
  send("t:5|ms");
  EXPECT_EQ(delta_of<HistogramDelta>("t_seconds").counts[2], 1U);
}

TEST_F(AccumulatorTest, CountersAreScaledByTheirSampleRate) {
  send("a:2|c|@0.1");
  EXPECT_EQ(delta_of<CounterDelta>("a").whole, 20U);
}

TEST_F(AccumulatorTest, GaugesAreSetAndMoved) {
  send("g:10|g\ng:-3|g\ng:+1|g");
  EXPECT_DOUBLE_EQ(delta_of<GaugeDelta>("g").value, 8);
}

TEST_F(AccumulatorTest, TimersAreMilliseconds) {
  send("t:1500|ms");
  EXPECT_DOUBLE_EQ(delta_of<HistogramDelta>("t_seconds").sum, 1.5);
}

TEST_F(AccumulatorTest, L4_TagsOfAnyOrderAreOneSeries) {
  send("a:1|c|#x:1,y:2\na:1|c|#y:2,x:1");
  EXPECT_EQ(delta_of<CounterDelta>("a").whole, 2U);
}

TEST_F(AccumulatorTest, ALineWithOneWrongValueAddsNothing) {
  send("a:1:x|c");
  const Taken taken = accumulator_.take(now_);
  EXPECT_TRUE(taken.updates.empty());
  EXPECT_EQ(refused(taken, Refusal::kBadValue), 1U);
}

TEST_F(AccumulatorTest, AWrongLineDoesNotTouchItsNeighbours) {
  send("a:1|c\nwrong\na:1|c");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(std::get<CounterDelta>(find(taken, "a")->delta).whole, 2U);
  EXPECT_EQ(refused(taken, Refusal::kMalformed), 1U);
  EXPECT_EQ(taken.examples[index(Refusal::kMalformed)].line, "wrong");
  EXPECT_EQ(taken.examples[index(Refusal::kMalformed)].sender, app_);
}

TEST_F(AccumulatorTest, I5_ACounterDoesNotFall) {
  send("a:-1|c");
  EXPECT_EQ(refused(accumulator_.take(now_), Refusal::kNegativeCounter), 1U);
}

TEST_F(AccumulatorTest, TwoNamesOfAProcessThatBecomeOneAreRefusedAndNotAddedUp) {
  send("app.x:1|c\napp_x:5|c");
  accumulator_.add_packet(sender("/bin/other"), "app_x:7|c");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(std::get<CounterDelta>(find(taken, "app_x", app_)->delta).whole, 1U);
  EXPECT_EQ(refused(taken, Refusal::kNameConflict), 1U) << "another process may have its own way to write it";
}

TEST_F(AccumulatorTest, SetsCountDistinctValuesOverTheirPeriod) {
  (void)accumulator_.take(now_);
  send("u:ann|s\nu:bob|s\nu:ann:eve|s");
  EXPECT_TRUE(accumulator_.take(now_ + 9s).updates.empty()) << "the period is not over";
  now_ += 10s;
  EXPECT_EQ(delta_of<SetDelta>("u").hashes.size(), 3U);
  now_ += 10s;
  EXPECT_EQ(delta_of<SetDelta>("u").hashes.size(), 0U);
}

TEST_F(AccumulatorTest, SetsAreBoundedAndWhatIsBeyondIsCounted) {
  send("u:1|s\nu:2|s\nu:3|s\nu:4|s\nu:5|s\nu:1|s");
  EXPECT_EQ(refused(accumulator_.take(now_), Refusal::kSetFull), 1U);
}

TEST_F(AccumulatorTest, SeriesOfAProcessAreBounded) {
  send("a:1|c\nb:1|c\nc:1|c\nd:1|c\na:1|c");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.series, 3U);
  EXPECT_EQ(refused(taken, Refusal::kProcessSeriesLimit), 1U);
  EXPECT_EQ(std::get<CounterDelta>(find(taken, "a")->delta).whole, 2U);
}

TEST_F(AccumulatorTest, SeriesOfAllAreBounded) {
  for (const char* exe : {"/bin/1", "/bin/2", "/bin/3"}) accumulator_.add_packet(sender(exe), "a:1|c\nb:1|c");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.series, 5U);
  EXPECT_EQ(taken.senders, 3U);
  EXPECT_EQ(refused(taken, Refusal::kSeriesLimit), 1U);
}

TEST_F(AccumulatorTest, ASeriesThatNobodyWritesGivesItsPlaceBack) {
  send("a:1|c\nb:1|c\nc:1|c");
  (void)accumulator_.take(now_);
  now_ += 30s;
  send("a:1|c");
  (void)accumulator_.take(now_);
  now_ += 30s;
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.gone.size(), 2U);
  EXPECT_EQ(taken.series, 1U);
  send("d:1|c\ne:1|c\na:1|c");
  const Taken after = accumulator_.take(now_);
  EXPECT_EQ(after.series, 3U);
  EXPECT_EQ(refused(after, Refusal::kProcessSeriesLimit), 0U);
}

TEST_F(AccumulatorTest, WhatAProcessThatIsGoneHasSentIsGivenOnceAndKeptNoLonger) {
  const SenderPtr gone = sender("", Sender::Origin::kGone);
  accumulator_.add_packet(gone, "a:1|c\nu:x|s");
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.updates.size(), 2U);
  EXPECT_EQ(taken.gone.size(), 2U);
  EXPECT_EQ(taken.series, 0U);
  EXPECT_EQ(taken.packets_unknown, 1U);
}

TEST_F(AccumulatorTest, APacketThatIsTooLongIsRefusedAsAWhole) {
  accumulator_.refuse_packet(app_, Refusal::kPacketTooLong);
  const Taken taken = accumulator_.take(now_);
  EXPECT_EQ(taken.lines, 1U);
  EXPECT_EQ(refused(taken, Refusal::kPacketTooLong), 1U);
}

TEST_F(AccumulatorTest, GaugesComeInTheOrderOfTheirLastLines) {
  const SenderPtr other = sender("/bin/other");
  accumulator_.add_packet(app_, "g:1|g");
  accumulator_.add_packet(other, "g:2|g");
  accumulator_.add_packet(app_, "g:3|g");
  const Taken taken = accumulator_.take(now_);
  ASSERT_EQ(taken.updates.size(), 2U);
  EXPECT_EQ(taken.updates.back().key->sender, app_);
}

}  // namespace
}  // namespace connscope::ingest
