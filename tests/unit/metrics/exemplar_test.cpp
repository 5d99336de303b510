// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exemplar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace connscope::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using std::chrono::milliseconds;

std::shared_ptr<const Exemplar> exemplar(int time_ms) {
  return std::make_shared<const Exemplar>(Exemplar{{{"peer", "a:1"}}, 0, WallTime(milliseconds(time_ms))});
}

Sample sample() { return {std::make_shared<const std::vector<std::string>>(), {}}; }

FamilySnapshot family(const std::string& name, std::vector<Sample> samples, std::vector<PlacedExemplar> exemplars) {
  FamilySnapshot made;
  made.descriptor = std::make_shared<const FamilyDescriptor>(FamilyDescriptor{name, "", "", {}, ""});
  made.samples = std::move(samples);
  made.exemplars = std::move(exemplars);
  return made;
}

std::vector<int> times(std::span<const PlacedExemplar> placed) {
  std::vector<int> found;
  for (const PlacedExemplar& one : placed)
    found.push_back(static_cast<int>(one.exemplar->time.time_since_epoch() / milliseconds(1)));
  return found;
}

TEST(Exemplar, ThoseOfASampleAreFound) {
  const FamilySnapshot all =
      family("x", {sample(), sample(), sample()}, {{1, 0, exemplar(10)}, {1, 5, exemplar(15)}, {2, 0, exemplar(20)}});
  EXPECT_THAT(exemplars_of(all, all.samples[0]), IsEmpty());
  EXPECT_THAT(times(exemplars_of(all, all.samples[1])), ElementsAre(10, 15));
  EXPECT_THAT(times(exemplars_of(all, all.samples[2])), ElementsAre(20));
}

TEST(ExemplarNews, NothingIsNewToWhoWantsNone) {
  EXPECT_THAT(ExemplarNews().of_buckets(sample()), IsEmpty());
  EXPECT_THAT(ExemplarNews().of_series(sample()), IsEmpty());
}

TEST(ExemplarNews, AllIsNewToAReceiverThatHasNothing) {
  const FamilySnapshot after = family("x", {sample()}, {{0, 1, exemplar(15)}, {0, 3, exemplar(10)}});
  const Snapshot other{{family("y", after.samples, after.exemplars)}, {}};
  for (const Snapshot* before : {static_cast<const Snapshot*>(nullptr), &other}) {
    const ExemplarNews news(before, after);
    EXPECT_THAT(times(news.of_buckets(after.samples[0])), ElementsAre(15, 10));
    EXPECT_THAT(times(news.of_series(after.samples[0])), ElementsAre(10, 15));
  }
}

TEST(ExemplarNews, WhatIsNoLaterThanWhatTheReceiverHasIsLeftOut) {
  const Sample goes = sample();
  const Sample stays = sample();
  const std::vector<PlacedExemplar> known = {
      {0, 1, exemplar(90)}, {1, 1, exemplar(50)}, {1, 2, exemplar(20)}, {1, 3, exemplar(30)}};
  const Snapshot before{{family("x", {goes, stays}, known)}, {}};
  // One that has come later, one that comes again, one from before what its bucket had, and one in a new bucket.
  const FamilySnapshot after =
      family("x", {stays}, {{0, 1, exemplar(60)}, {0, 2, exemplar(20)}, {0, 3, exemplar(25)}, {0, 4, exemplar(40)}});
  const ExemplarNews news(&before, after);
  EXPECT_THAT(times(news.of_buckets(after.samples[0])), ElementsAre(60, 40));
  EXPECT_THAT(times(news.of_series(after.samples[0])), ElementsAre(60)) << "it has one of 50";
}

TEST(ExemplarNews, OfOneSeriesThereIsOneAMillisecond) {
  const auto later = std::make_shared<const Exemplar>(Exemplar{{}, 0, WallTime(std::chrono::microseconds(7900))});
  const FamilySnapshot after = family("x", {sample()}, {{0, 0, exemplar(7)}, {0, 1, later}, {0, 2, exemplar(6)}});
  EXPECT_THAT(times(ExemplarNews(nullptr, after).of_series(after.samples[0])), ElementsAre(6, 7));
  EXPECT_THAT(ExemplarNews(nullptr, after).of_buckets(after.samples[0]), SizeIs(3));
}

}  // namespace
}  // namespace connscope::metrics
