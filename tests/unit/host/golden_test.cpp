// SPDX-License-Identifier: Apache-2.0
//
// Each collector on the fixture tree (tests/fixtures/host), byte for byte. After a wanted change:
//   CONNSCOPE_UPDATE_GOLDEN=1 build/release/tests/unit/host/host_test --gtest_filter='Golden*'
// and look at what git says has changed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "agent/base/file.h"
#include "agent/host/catalog.h"
#include "tests/unit/host/fixture.h"

namespace connscope::host::testing {
namespace {

class Golden : public ::testing::TestWithParam<const CollectorType*> {
 protected:
  void SetUp() override { ::setenv("TZ", "UTC", 1); }
  FakeKernel kernel_ = fixture_kernel();
  std::unique_ptr<Collector> collector_ = make_collector(*GetParam());
};

TEST_P(Golden, ServesWhatTheFixtureHas) {
  const Status outcome = collector_->collect(kernel_);
  ASSERT_TRUE(outcome) << outcome.error().message();
  const std::string text = served(*collector_);
  const std::string file = CONNSCOPE_SOURCE_DIR "/tests/fixtures/host/golden/" + collector_->name() + ".txt";
  if (std::getenv("CONNSCOPE_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << text;
  const auto golden = read_file(file);
  ASSERT_TRUE(golden) << golden.error().message();
  EXPECT_EQ(text, *golden);
  EXPECT_NE(text, "");
}

TEST_P(Golden, ServesTheSameAgain) {
  ASSERT_TRUE(collector_->collect(kernel_));
  const std::string first = served(*collector_);
  ASSERT_TRUE(collector_->collect(kernel_));
  EXPECT_EQ(served(*collector_), first);
}

TEST_P(Golden, TakesFilesThatLackForNoData) {
  FakeKernel empty;
  const Status outcome = collector_->collect(empty);
  EXPECT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(collector_->complaint(), "");
}

TEST_P(Golden, ForgetsWhatIsGone) {
  ASSERT_TRUE(collector_->collect(kernel_));
  FakeKernel empty;
  auto fresh = make_collector(*GetParam());
  ASSERT_TRUE(collector_->collect(empty));
  ASSERT_TRUE(fresh->collect(empty));
  EXPECT_EQ(served(*collector_), served(*fresh));
}

/// Each file in turn cut short, and turned into nonsense: an error or a part, never half of a reading, and the next
/// good one is whole.
TEST_P(Golden, SurvivesFilesThatAreBroken) {
  ASSERT_TRUE(collector_->collect(kernel_));
  const std::string whole = served(*collector_);
  const FakeKernel fixture = kernel_;
  for (const auto& [path, content] : fixture.files) {
    const std::string half = content.substr(0, content.size() / 2);
    for (const std::string& broken : {half, std::string("\xff\xfe -1 99999999999999999999999 :"),
                                      std::string(3000, '9'), std::string("\0\n\n", 3), half + "\n\n" + content}) {
      kernel_.files[path] = broken;
      if (!collector_->collect(kernel_)) {
        EXPECT_EQ(served(*collector_).find("node_scrape"), std::string::npos);
      }
    }
    kernel_.files[path] = content;
  }
  auto fresh = make_collector(*GetParam());
  ASSERT_TRUE(fresh->collect(kernel_));
  EXPECT_EQ(served(*fresh), whole);
}

INSTANTIATE_TEST_SUITE_P(Collectors, Golden, ::testing::ValuesIn(collector_types()),
                         [](const auto& type) { return std::string(type.param->name); });

TEST(Refused, AnUnreadableFileIsAnErrorThatNamesIt) {
  FakeKernel kernel = fixture_kernel();
  kernel.unreadable = {"proc/stat", "proc/slabinfo", "proc/net/dev"};
  std::size_t refused = 0;
  for (const CollectorType* type : collector_types()) {
    auto collector = make_collector(*type);
    if (const Status outcome = collector->collect(kernel); !outcome) {
      ++refused;
      EXPECT_NE(outcome.error().message().find("Permission denied"), std::string::npos);
      EXPECT_EQ(served(*collector), "");
    }
  }
  EXPECT_EQ(refused, 4U);  // cpu and stat read the same file
}

}  // namespace
}  // namespace connscope::host::testing
