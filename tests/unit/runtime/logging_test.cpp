// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/base/file.h"
#include "agent/base/unique_fd.h"

namespace connscope::runtime {
namespace {

using config::LogFormat;
using config::LogLevel;
using testing::MatchesRegex;

/// Puts a file in place of stderr for as long as a test runs.
class Logging : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(file_, nullptr);
    ASSERT_GE(::dup2(::fileno(file_), STDERR_FILENO), 0);
    ::unsetenv("JOURNAL_STREAM");
  }
  void TearDown() override {
    ::dup2(saved_.get(), STDERR_FILENO);
    ::unsetenv("JOURNAL_STREAM");
    std::fclose(file_);
  }

  /// As systemd sets it, for a stream whose inode differs by `inode_offset`.
  static void set_journal_stream(ino_t inode_offset) {
    struct stat status {};
    ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
    const std::string value = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino + inode_offset);
    ::setenv("JOURNAL_STREAM", value.c_str(), 1);
  }

  [[nodiscard]] std::string written() const {
    std::string text(65536, '\0');
    const ssize_t size = ::pread(::fileno(file_), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

 private:
  UniqueFd saved_{::dup(STDERR_FILENO)};
  std::FILE* file_ = std::tmpfile();
};

TEST_F(Logging, TextHasTimeLevelAndMessage) {
  set_up_logging(LogLevel::kInfo, LogFormat::kText);
  spdlog::warn("100% of {}", "it");
  EXPECT_THAT(written(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warning 100% of it\n"));
}

TEST_F(Logging, TextOfManyLinesIsIndented) {
  set_up_logging(LogLevel::kInfo, LogFormat::kText);
  spdlog::error("c.toml:1: a\nc.toml:2: b\n");
  EXPECT_THAT(written(), MatchesRegex("[^ ]+ error c.toml:1: a\n  c.toml:2: b\n"));
}

TEST_F(Logging, JsonIsOneObjectALine) {
  set_up_logging(LogLevel::kInfo, LogFormat::kJson);
  spdlog::info("say \"a\"\nb");
  EXPECT_THAT(written(),
              MatchesRegex("\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\","
                           "\"level\":\"info\",\"message\":\"say \\\\\"a\\\\\"\\\\nb\"\\}\n"));
}

TEST_F(Logging, JournalGetsPrioritiesAndNoTime) {
  set_journal_stream(0);
  set_up_logging(LogLevel::kTrace, LogFormat::kText);
  spdlog::trace("t");
  spdlog::debug("d");
  spdlog::info("i\nj");
  spdlog::warn("w");
  spdlog::error("e");
  spdlog::critical("c");
  EXPECT_EQ(written(), "<7>t\n<7>d\n<6>i\n<6>j\n<4>w\n<3>e\n<2>c\n");
}

TEST_F(Logging, JournalGetsJsonBehindThePriority) {
  set_journal_stream(0);
  set_up_logging(LogLevel::kInfo, LogFormat::kJson);
  spdlog::info("i");
  EXPECT_THAT(written(), MatchesRegex("<6>\\{\"time\":\"[^\"]+\",\"level\":\"info\",\"message\":\"i\"\\}\n"));
}

TEST_F(Logging, AnotherStreamIsNotTheJournal) {
  set_journal_stream(1);
  set_up_logging(LogLevel::kInfo, LogFormat::kText);
  spdlog::info("i");
  EXPECT_THAT(written(), MatchesRegex("[0-9]{4}-[^ ]+ info i\n"));
}

TEST_F(Logging, LevelsHideWhatIsBelow) {
  set_journal_stream(0);
  set_up_logging(LogLevel::kWarn, LogFormat::kText);
  spdlog::info("1");
  spdlog::warn("2");
  set_log_level(LogLevel::kDebug);
  spdlog::trace("3");
  spdlog::debug("4");
  set_log_level(LogLevel::kError);
  spdlog::warn("5");
  spdlog::error("6");
  set_log_level(LogLevel::kInfo);
  spdlog::info("7");
  set_log_level(LogLevel::kOff);
  spdlog::critical("8");
  EXPECT_EQ(written(), "<4>2\n<7>4\n<3>6\n<6>7\n");
}

}  // namespace
}  // namespace connscope::runtime
