// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/metrics/registry.h"

namespace connscope::metrics {
namespace {

using testing::HasSubstr;

class FamilyTest : public testing::Test {
 protected:
  Registry registry_;
  Family<Counter>* family_ = registry_.family<Counter>({"requests", "Requests.", "", {"process", "code"}, ""}).value();
};

TEST_F(FamilyTest, P1_WrongNumberOfLabelValuesIsAnErrorAndNoSeries) {
  for (const auto& values : std::vector<std::vector<std::string>>{{}, {"a"}, {"a", "b", "c"}}) {
    const auto series = family_->with(values);
    ASSERT_FALSE(series);
    EXPECT_EQ(series.error().message(),
              "metric family requests: has 2 labels, but " + std::to_string(values.size()) + " values were given");
  }
  EXPECT_EQ(family_->size(), 0U);
}

TEST_F(FamilyTest, OneLabelSetIsOneSeries) {
  Counter* first = family_->with({"a", "200"}).value();
  Counter* second = family_->with({"b", "200"}).value();
  EXPECT_NE(first, second);
  EXPECT_EQ(family_->with({"a", "200"}).value(), first);
  EXPECT_EQ(family_->size(), 2U);
}

TEST_F(FamilyTest, L4_TheSameTagsInTwoOrdersAreOneSeries) {
  Counter* one = family_->with_labels({{"process", "a"}, {"code", "200"}}).value();
  EXPECT_EQ(family_->with_labels({{"code", "200"}, {"process", "a"}}).value(), one);
  EXPECT_EQ(family_->with({"a", "200"}).value(), one);
  EXPECT_EQ(family_->size(), 1U);
}

TEST_F(FamilyTest, L4_EachTagHasOneValue) {
  const auto message = [this](const Labels& labels) { return family_->with_labels(labels).error().message(); };
  EXPECT_EQ(message({{"process", "a"}, {"code", "1"}, {"code", "2"}}),
            "metric family requests: label \"code\" is given twice");
  EXPECT_EQ(message({{"process", "a"}}), "metric family requests: label \"code\" is missing");
  EXPECT_EQ(message({{"process", "a"}, {"color", "x"}}), "metric family requests: has no label \"color\"");
  EXPECT_EQ(family_->size(), 0U);
}

TEST_F(FamilyTest, ValuesMustBeUtf8) {
  const auto series = family_->with({"a", "\xff"});
  ASSERT_FALSE(series);
  EXPECT_THAT(series.error().message(), HasSubstr("the value of label \"code\" is not UTF-8"));
  EXPECT_TRUE(family_->with({"Gr\u00fc\u00dfe", ""}));
}

TEST_F(FamilyTest, AFurtherLabelIsEmptyForTheSeriesThatAreThere) {
  Counter* old = family_->with({"b", "200"}).value();
  old->add(std::uint64_t{5});
  Counter* first = family_->with({"a", "200"}).value();
  const auto before = family_->snapshot();
  ASSERT_TRUE(family_->add_label("route"));
  EXPECT_EQ(family_->with({"b", "200", ""}).value(), old) << "pointers to series stay valid";
  EXPECT_EQ(family_->with({"a", "200", ""}).value(), first);
  EXPECT_NE(family_->with({"b", "200", "/x"}).value(), old);
  const auto after = family_->snapshot();
  EXPECT_EQ(after.descriptor->label_names, (std::vector<std::string>{"process", "code", "route"}));
  EXPECT_EQ(*after.samples[0].label_values, (std::vector<std::string>{"b", "200", ""}));
  EXPECT_EQ(after.samples.size(), 3U);
  EXPECT_EQ(before.descriptor->label_names.size(), 2U) << "a snapshot stays as it was";
  EXPECT_EQ(before.samples[0].label_values->size(), 2U);
}

TEST_F(FamilyTest, AFurtherLabelThatCannotBeIsRefused) {
  EXPECT_FALSE(family_->add_label("code"));
  EXPECT_FALSE(family_->add_label("__name__"));
  EXPECT_FALSE(family_->add_label("a-b"));
  EXPECT_EQ(family_->descriptor().label_names.size(), 2U);
}

TEST_F(FamilyTest, RemovedSeriesAreGoneAndBeginAgainAtZero) {
  family_->with({"a", "1"}).value()->add(std::uint64_t{5});
  family_->with({"b", "1"}).value()->add(std::uint64_t{6});
  EXPECT_TRUE(family_->remove({"a", "1"}));
  EXPECT_FALSE(family_->remove({"a", "1"}));
  EXPECT_EQ(family_->size(), 1U);
  EXPECT_EQ(registry_.budget().used(), 1U);
  EXPECT_EQ(family_->with({"a", "1"}).value()->total(), Number(std::uint64_t{0}));

  family_->clear();
  EXPECT_EQ(family_->size(), 0U);
  EXPECT_EQ(registry_.budget().used(), 0U);
}

TEST_F(FamilyTest, PointersStayValidWhileOthersComeAndGo) {
  Counter* kept = family_->with({"kept", "1"}).value();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(family_->with({std::to_string(i), "1"}));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(family_->remove({std::to_string(i), "1"}));
  kept->add(std::uint64_t{1});
  EXPECT_EQ(family_->with({"kept", "1"}).value()->total(), Number(std::uint64_t{1}));
}

}  // namespace
}  // namespace connscope::metrics
