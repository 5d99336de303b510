// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/executables.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>

#include "tests/support/temp_dir.h"

namespace connscope::probe {
namespace {

namespace fs = std::filesystem;

/// A procfs with processes of a test's making. What they execute is a text; those with an 'x' are wanted.
class ExecutablesTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() + "/" + name) << text; }
  void run(const std::string& process, const std::string& name) {
    fs::create_directories(procfs() + "/" + process);
    fs::create_symlink(folder_.path() + "/" + name, procfs() + "/" + process + "/exe");
  }
  void end(const std::string& process) { fs::remove_all(procfs() + "/" + process); }
  [[nodiscard]] std::string procfs() const { return folder_.path() + "/proc"; }
  FileLook look(std::size_t max_reads = std::numeric_limits<std::size_t>::max()) {
    auto look = executables_.look(max_reads);
    EXPECT_TRUE(look);
    return *look;
  }

  testing::TempDir folder_ = testing::TempDir::create().value();
  std::size_t reads_ = 0;
  Executables executables_{[this](int fd) {
                             ++reads_;
                             std::array<char, 64> text{};
                             const ssize_t length = ::read(fd, text.data(), text.size());
                             return std::string_view(text.data(), static_cast<std::size_t>(length)).find('x') !=
                                    std::string_view::npos;
                           },
                           procfs()};
};

TEST_F(ExecutablesTest, ThoseAreOfferedThatHoldWhatIsLookedFor) {
  write("wanted", "x");
  write("other", "o");
  run("1", "wanted");
  run("2", "other");
  run("3", "wanted");
  const FileLook first = look();
  ASSERT_EQ(first.offered.size(), 1U);
  EXPECT_EQ(first.offered.front().path, folder_.path() + "/wanted");
  EXPECT_TRUE(executables_.open(first.offered.front()));
  EXPECT_EQ(reads_, 2U) << "a file is looked into once";
  look();
  EXPECT_EQ(reads_, 2U);
}

TEST_F(ExecutablesTest, OneWhoseProcessHasEndedIsOpenedAsAnotherRunsIt) {
  write("wanted", "x");
  run("1", "wanted");
  run("2", "wanted");
  const FileLook first = look();
  ASSERT_EQ(first.offered.size(), 1U);
  end(first.offered.front().process);
  EXPECT_TRUE(executables_.open(first.offered.front()));
  end("1");
  end("2");
  const auto refused = executables_.open(first.offered.front());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(has_ended(refused.error()));
}

TEST_F(ExecutablesTest, OneProcessIsLookedAtAlone) {
  write("wanted", "x");
  write("other", "o");
  run("1", "wanted");
  run("2", "other");
  const auto offered = executables_.look_at({"1", {}});
  ASSERT_EQ(offered.size(), 1U);
  EXPECT_EQ(executables_.files_of("1"), std::vector<MappedFile>{offered.front().file});
  EXPECT_TRUE(executables_.look_at({"2", {}}).empty());
  EXPECT_TRUE(executables_.look_at({"3", {}}).empty()) << "there is no such process";
  executables_.take_up(offered.front().file);
  EXPECT_TRUE(executables_.look_at({"1", {}}).empty());
  EXPECT_TRUE(look().offered.empty());
  EXPECT_EQ(reads_, 2U) << "a file is looked into once";
}

TEST_F(ExecutablesTest, OneIsGoneWhenNobodyRunsIt) {
  write("wanted", "x");
  run("1", "wanted");
  run("2", "wanted");
  const MappedFile file = look().offered.front().file;
  executables_.take_up(file);
  EXPECT_TRUE(look().offered.empty());
  end("1");
  EXPECT_TRUE(look().gone.empty());
  end("2");
  EXPECT_EQ(look().gone, std::vector<MappedFile>{file});
  run("3", "wanted");
  EXPECT_EQ(look().offered.size(), 1U);
}

TEST_F(ExecutablesTest, AFileInTheOldOnesPlaceIsAnother) {
  write("wanted", "x");
  run("1", "wanted");
  const MappedFile old = look().offered.front().file;
  executables_.take_up(old);
  end("1");
  write("new", "xx");
  fs::rename(folder_.path() + "/new", folder_.path() + "/wanted");
  run("1", "wanted");
  const FileLook after = look();
  ASSERT_EQ(after.offered.size(), 1U);
  EXPECT_NE(after.offered.front().file, old);
  EXPECT_EQ(after.gone, std::vector<MappedFile>{old});
}

TEST_F(ExecutablesTest, WhatIsTooMuchForOneLookIsLeftForTheNext) {
  for (const char* name : {"a", "b", "c"}) {
    write(name, "x");
    run(std::to_string(name[0]), name);
  }
  EXPECT_EQ(look(2).offered.size(), 2U);
  EXPECT_EQ(look(2).offered.size(), 3U);
  EXPECT_EQ(reads_, 3U);
}

}  // namespace
}  // namespace connscope::probe
