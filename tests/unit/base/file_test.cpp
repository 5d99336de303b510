// SPDX-License-Identifier: Apache-2.0
#include "agent/base/file.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace connscope {
namespace {

TEST(ReadFile, ReadsFilesOfUnknownSize) {
  const auto content = read_file("/proc/self/stat");
  ASSERT_TRUE(content) << content.error().message();
  EXPECT_NE(content->find("base_test"), std::string::npos);
}

TEST(ReadFile, NamesTheFileThatIsMissing) {
  const auto content = read_file("/nonexistent/file");
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message(), "/nonexistent/file: No such file or directory");
  EXPECT_EQ(content.error().code(), ENOENT);
}

TEST(ReadFile, RefusesWhatIsTooLong) {
  const auto content = read_file("/dev/zero", 100);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message(), "/dev/zero: longer than 100 bytes");
}

}  // namespace
}  // namespace connscope
