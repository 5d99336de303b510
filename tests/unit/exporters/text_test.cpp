// SPDX-License-Identifier: Apache-2.0
#include "exporters/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace connscope::exporters {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::string number(T value) {
  std::string out;
  append_number(value, out);
  return out;
}

std::string canonical(double value) {
  std::string out;
  append_canonical(value, out);
  return out;
}

std::string escaped(std::string_view text, Quotes quotes) {
  std::string out;
  append_escaped(text, quotes, out);
  return out;
}

TEST(TextNumber, P7_IntegersAreExactAndHaveNoFraction) {
  EXPECT_EQ(number(std::uint64_t{0}), "0");
  EXPECT_EQ(number(std::uint64_t{9007199254740992}), "9007199254740992");
  EXPECT_EQ(number(std::uint64_t{9007199254740993}), "9007199254740993");
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(number(metrics::Number(std::uint64_t{12})), "12");
}

TEST(TextNumber, DoublesAreShortAndReadBackAsTheSame) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(-2.5), "-2.5");
  EXPECT_EQ(number(3.0), "3");
  EXPECT_EQ(number(metrics::Number(0.25)), "0.25");
  for (const double value : {1.0 / 3, 1e-300, 5e-324, std::numeric_limits<double>::max(), 123456789.125, 1e22}) {
    EXPECT_EQ(std::strtod(number(value).c_str(), nullptr), value) << number(value);
  }
}

TEST(TextNumber, WhatIsNoFiniteNumberHasAName) {
  EXPECT_EQ(number(kNan), "NaN");
  EXPECT_EQ(number(std::copysign(kNan, -1.0)), "NaN");
  EXPECT_EQ(number(kInf), "+Inf");
  EXPECT_EQ(number(-kInf), "-Inf");
}

// The list of OpenMetrics 1.0, "Considerations: Canonical Numbers".
TEST(TextCanonical, HasTheFormOfTheSpecification) {
  EXPECT_EQ(canonical(1e-10), "1e-10");
  EXPECT_EQ(canonical(1e-9), "1e-09");
  EXPECT_EQ(canonical(1e-5), "1e-05");
  EXPECT_EQ(canonical(1e-4), "0.0001");
  EXPECT_EQ(canonical(0.001), "0.001");
  EXPECT_EQ(canonical(0.5), "0.5");
  EXPECT_EQ(canonical(0.999), "0.999");
  EXPECT_EQ(canonical(1), "1.0");
  EXPECT_EQ(canonical(10), "10.0");
  EXPECT_EQ(canonical(100000), "100000.0");
  EXPECT_EQ(canonical(1e6), "1e+06");
  EXPECT_EQ(canonical(1e10), "1e+10");
}

TEST(TextCanonical, HasEveryOtherDoubleToo) {
  EXPECT_EQ(canonical(0), "0.0");
  EXPECT_EQ(canonical(-1.5), "-1.5");
  EXPECT_EQ(canonical(-2e6), "-2e+06");
  EXPECT_EQ(canonical(1234567.5), "1.2345675e+06");
  EXPECT_EQ(canonical(std::nextafter(1e6, 0)), "999999.9999999999");
  EXPECT_EQ(canonical(kInf), "+Inf");
  EXPECT_EQ(canonical(-kInf), "-Inf");
  EXPECT_EQ(canonical(kNan), "NaN");
}

TEST(TextEscape, P8_EscapesOnceWhatWouldEndTheText) {
  EXPECT_EQ(escaped("a\"b\\c\n", Quotes::kEscaped), "a\\\"b\\\\c\\n");
  EXPECT_EQ(escaped("a\"b\\c\n", Quotes::kBare), "a\"b\\\\c\\n");
  EXPECT_EQ(escaped("", Quotes::kEscaped), "");
  EXPECT_EQ(escaped("{a=b} # \t\r", Quotes::kEscaped), "{a=b} # \t\r");
}

TEST(TextEscape, KeepsUtf8AndReplacesStrayBytes) {
  EXPECT_EQ(escaped("Gr\u00fc\u00dfe \U0001F989", Quotes::kEscaped), "Gr\u00fc\u00dfe \U0001F989");
  EXPECT_EQ(escaped("\xff\"\xe2\x82", Quotes::kEscaped), "\uFFFD\\\"\uFFFD\uFFFD");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3), Quotes::kEscaped), std::string_view("a\0b", 3));
}

}  // namespace
}  // namespace connscope::exporters
