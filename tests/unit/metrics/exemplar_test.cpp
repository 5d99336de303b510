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

std::shared_ptr<const Exemplar> exemplar(double value) {
  return std::make_shared<const Exemplar>(Exemplar{{{"peer", "a:1"}}, value, {}});
}

FamilySnapshot family(const std::string& name, std::vector<PlacedExemplar> exemplars) {
  FamilySnapshot made;
  made.descriptor = std::make_shared<const FamilyDescriptor>(FamilyDescriptor{name, "", "", {}, ""});
  made.exemplars = std::move(exemplars);
  return made;
}

std::vector<double> values(std::span<const PlacedExemplar> placed) {
  std::vector<double> found;
  for (const PlacedExemplar& one : placed) found.push_back(one.exemplar->value);
  return found;
}

TEST(Exemplar, ThoseOfASampleAreFound) {
  const std::vector<PlacedExemplar> all = {{1, 0, exemplar(10)}, {1, 5, exemplar(15)}, {4, 0, exemplar(40)}};
  EXPECT_THAT(exemplars_of(all, 0), IsEmpty());
  EXPECT_THAT(values(exemplars_of(all, 1)), ElementsAre(10, 15));
  EXPECT_THAT(values(exemplars_of(all, 4)), ElementsAre(40));
  EXPECT_THAT(exemplars_of(all, 5), IsEmpty());
  EXPECT_THAT(exemplars_of({}, 0), IsEmpty());
}

TEST(Exemplar, OneIsNewUnlessTheSnapshotBeforeHasTheVeryOne) {
  const PlacedExemplar old{1, 0, exemplar(10)};
  const Snapshot before{{family("other", {}), family("x", {old, {2, 0, exemplar(20)}})}, {}};
  const PlacedExemplar moved{0, 3, old.exemplar};  // a sample before it has gone
  const FamilySnapshot after = family("x", {moved, {1, 0, exemplar(10)}, {2, 0, exemplar(21)}});
  EXPECT_THAT(values(new_exemplars(&before, after)), ElementsAre(10, 21));
  EXPECT_THAT(new_exemplars(nullptr, after), SizeIs(3));
  EXPECT_THAT(new_exemplars(&before, family("y", {old})), SizeIs(1)) << "it is another family's";
  EXPECT_THAT(new_exemplars(&before, family("x", {})), IsEmpty());
}

}  // namespace
}  // namespace connscope::metrics
