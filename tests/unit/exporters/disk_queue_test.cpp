// SPDX-License-Identifier: Apache-2.0
#include "exporters/disk_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace connscope::exporters {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kMuch = 1U << 20U;

class DiskQueueTest : public ::testing::Test {
 protected:
  DiskQueue open(std::uint64_t max_bytes = kMuch) {
    auto opened = DiskQueue::open(folder_, max_bytes);
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }

  static std::vector<std::string> take_all(DiskQueue& queue) {
    std::vector<std::string> entries;
    while (const auto oldest = queue.oldest()) {
      const auto entry = queue.read(*oldest).value();
      entries.push_back(entry.value_or("damaged"));
      queue.remove(*oldest);
    }
    return entries;
  }

  /// Its files, oldest first.
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> paths;
    for (const auto& file : fs::directory_iterator(folder_)) paths.push_back(file.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  connscope::testing::TempDir temp_ = connscope::testing::TempDir::create().value();
  std::string folder_ = temp_.path() + "/a/b";
};

TEST_F(DiskQueueTest, GivesBackWhatItTookInOrder) {
  DiskQueue queue = open();
  EXPECT_FALSE(queue.oldest());
  const std::vector<std::string> entries = {"one", "", std::string("th\0ree\n", 7)};
  for (const std::string& entry : entries) ASSERT_EQ(queue.push(entry).value(), 0U);
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(queue.bytes(), 3 * kBlock);
  EXPECT_EQ(take_all(queue), entries);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(DiskQueueTest, OutlivesItsProcess) {
  {
    DiskQueue queue = open();
    for (const char* entry : {"one", "two", "three"}) ASSERT_TRUE(queue.push(entry));
    queue.remove(*queue.oldest());
  }
  std::ofstream(folder_ + "/unfinished") << "what a crash left";
  std::ofstream(folder_ + "/README") << "somebody's";
  DiskQueue queue = open();
  EXPECT_EQ(queue.size(), 2U);
  ASSERT_TRUE(queue.push("four"));
  EXPECT_THAT(take_all(queue), ElementsAre("two", "three", "four"));
  EXPECT_THAT(files(), ElementsAre(folder_ + "/README"));
}

TEST_F(DiskQueueTest, TheOldestMakeRoomAndAreCounted) {
  DiskQueue queue = open(3 * kBlock);
  for (const char* entry : {"one", "two", "three"}) ASSERT_EQ(queue.push(entry).value(), 0U);
  EXPECT_EQ(queue.push(std::string(kBlock, 'x')).value(), 2U) << "it takes two blocks";
  EXPECT_LE(queue.bytes(), 3 * kBlock);
  const auto refused = queue.push(std::string(3 * kBlock, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr(folder_ + ": an entry of 16384 bytes has no room in 12288"));
  EXPECT_THAT(take_all(queue), ElementsAre("three", std::string(kBlock, 'x')));
}

TEST_F(DiskQueueTest, ASmallerLimitHoldsFromTheNextEntryOn) {
  DiskQueue queue = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(queue.push("x"));
  queue.set_max_bytes(2 * kBlock);
  EXPECT_EQ(queue.push("new").value(), 4U);
  EXPECT_THAT(take_all(queue), ElementsAre("x", "new"));
}

TEST_F(DiskQueueTest, WhatIsDamagedIsFound) {
  {
    DiskQueue queue = open();
    for (const char* entry : {"flipped", "short", "long", "gone", "good"}) ASSERT_TRUE(queue.push(entry));
  }
  DiskQueue queue = open();
  const auto paths = files();
  std::fstream(paths[0], std::ios::in | std::ios::out).seekp(26) << 'X';
  fs::resize_file(paths[1], 10);
  std::ofstream(paths[2], std::ios::app) << "more";
  fs::remove(paths[3]);
  EXPECT_THAT(take_all(queue), ElementsAre("damaged", "damaged", "damaged", "damaged", "good"));
}

TEST_F(DiskQueueTest, AFolderHasOneQueue) {
  {
    const DiskQueue queue = open();
    const auto second = DiskQueue::open(folder_, kMuch);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message(), HasSubstr(folder_ + ": is the queue of another exporter"));
  }
  open();
}

TEST_F(DiskQueueTest, OnlyItsOwnerMayRead) {
  const DiskQueue queue = open();
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
}

TEST_F(DiskQueueTest, AFolderThatCannotBeIsNamed) {
  std::ofstream(temp_.path() + "/a") << "a file";
  const auto opened = DiskQueue::open(folder_, kMuch);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr(folder_));
}

}  // namespace
}  // namespace connscope::exporters
