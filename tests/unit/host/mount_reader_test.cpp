// SPDX-License-Identifier: Apache-2.0
#include "agent/host/mount_reader.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace connscope::host {
namespace {

/// Mounts of which some hang until they are let go. Shared with the threads that hang.
struct Mounts {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> hanging;
  std::size_t calls = 0;

  int answer(const std::string& path, struct statvfs* values) {
    std::unique_lock lock(mutex);
    ++calls;
    changed.wait(lock, [&] { return hanging.count(path) == 0; });
    changed.notify_all();
    if (path == "bad") {
      errno = EIO;
      return -1;
    }
    values->f_blocks = path.size();
    return 0;
  }
  void let_go() {
    const std::lock_guard lock(mutex);
    hanging.clear();
    changed.notify_all();
  }
};

class MountReaderTest : public ::testing::Test {
 protected:
  MountReaderTest()
      : reader_([mounts = mounts_](const char* path, struct statvfs* values) { return mounts->answer(path, values); },
                std::chrono::milliseconds(30)) {}
  ~MountReaderTest() override { mounts_->let_go(); }

  std::vector<int> errors(std::vector<std::string> paths) {
    std::vector<int> errors;
    for (const auto& space : reader_.read(std::make_shared<const std::vector<std::string>>(std::move(paths))))
      errors.push_back(space.error);
    return errors;
  }

  std::shared_ptr<Mounts> mounts_ = std::make_shared<Mounts>();
  MountReader reader_;
};

TEST_F(MountReaderTest, ReadsMountsInTheirOrder) {
  const auto& spaces =
      reader_.read(std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"/", "bad", "/home"}));
  ASSERT_EQ(spaces.size(), 3U);
  EXPECT_EQ(spaces[0].values.f_blocks, 1U);
  EXPECT_EQ(spaces[1].error, EIO);
  EXPECT_EQ(spaces[2].values.f_blocks, 5U);
  EXPECT_EQ(reader_.timeouts(), 0U);
}

TEST_F(MountReaderTest, AMountThatHangsDoesNotHoldUpTheOthers) {
  mounts_->hanging = {"/nfs"};
  EXPECT_EQ(errors({"/", "/nfs", "/home"}), (std::vector<int>{0, ETIMEDOUT, 0}));
  EXPECT_EQ(reader_.timeouts(), 1U);
}

TEST_F(MountReaderTest, AMountThatHangsIsNotAskedAgainBeforeItAnswers) {
  mounts_->hanging = {"/nfs"};
  EXPECT_EQ(errors({"/nfs"}), (std::vector<int>{ETIMEDOUT}));
  EXPECT_EQ(errors({"/nfs"}), (std::vector<int>{ETIMEDOUT}));
  EXPECT_EQ(reader_.timeouts(), 1U);
  {
    const std::lock_guard lock(mounts_->mutex);
    EXPECT_EQ(mounts_->calls, 1U);
  }
  mounts_->let_go();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (errors({"/nfs"}) != std::vector<int>{0}) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_F(MountReaderTest, OneReadingWaitsForSoManyOnly) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < 2 * MountReader::kNewlyHung; ++i) paths.push_back("/nfs" + std::to_string(i));
  mounts_->hanging = {paths.begin(), paths.end()};
  EXPECT_EQ(errors(paths), std::vector<int>(paths.size(), ETIMEDOUT));
  EXPECT_EQ(reader_.timeouts(), MountReader::kNewlyHung);
}

TEST(MountReader, MayGoWhileAMountHangs) {
  const auto mounts = std::make_shared<Mounts>();
  mounts->hanging = {"/nfs"};
  {
    MountReader reader([mounts](const char* path, struct statvfs* values) { return mounts->answer(path, values); },
                       std::chrono::milliseconds(10));
    EXPECT_EQ(reader.read(std::make_shared<const std::vector<std::string>>(1, "/nfs"))[0].error, ETIMEDOUT);
  }
  mounts->let_go();
  // The thread has its share of the mounts until it ends.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (mounts.use_count() > 1) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

}  // namespace
}  // namespace connscope::host
