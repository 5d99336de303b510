// SPDX-License-Identifier: Apache-2.0
#include "agent/base/result.h"

#include <gtest/gtest.h>

namespace connscope {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return Error("odd");
  return value / 2;
}

TEST(Result, CarriesAValueOrAnErrorWithContext) {
  EXPECT_EQ(half(4).value(), 2);
  const auto bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().context("three").message(), "three: odd");
}

TEST(Result, ErrnoIsSpelledOut) {
  const Error error = Error::from_errno("open x", 2);
  EXPECT_EQ(error.message(), "open x: No such file or directory");
  EXPECT_EQ(error.context("probe").code(), 2);
}

}  // namespace
}  // namespace connscope
