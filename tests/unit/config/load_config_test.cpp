// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "agent/config/options.h"

namespace connscope::config {
namespace {

class LoadConfig : public testing::Test {
 protected:
  void write(std::string_view text) { std::ofstream(path_) << text; }
  void TearDown() override { std::remove(path_.c_str()); }

  const std::string path_ = testing::TempDir() + "load_config_test." + std::to_string(::getpid()) + ".toml";
};

TEST_F(LoadConfig, TakesTheNamedFile) {
  write("a = 1\n");
  const auto document = load_config(path_, "/nonexistent/default.toml");
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(document->root().integer("a", 0, 0, 9), 1);
}

TEST_F(LoadConfig, TakesTheDefaultFileWhenNoneIsNamed) {
  write("a = 1\n");
  const auto document = load_config("", path_);
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(document->root().integer("a", 0, 0, 9), 1);
}

TEST_F(LoadConfig, IsEmptyWithoutAnyFile) {
  const auto document = load_config("", "/nonexistent/default.toml");
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(document->root().integer("a", 7, 0, 9), 7);
}

TEST_F(LoadConfig, RefusesWhatItCannotRead) {
  EXPECT_EQ(load_config("/nonexistent/named.toml", path_).error().message(),
            "/nonexistent/named.toml: No such file or directory");
  EXPECT_EQ(load_config("", "/").error().message(), "/: Is a directory");
}

TEST_F(LoadConfig, MessagesNameTheFile) {
  write("a = \n");
  EXPECT_EQ(load_config(path_).error().message(),
            path_ + ":1: Error while parsing key-value pair: expected value, saw '\\n'");
}

}  // namespace
}  // namespace connscope::config
