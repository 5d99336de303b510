// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "agent/config/document.h"

namespace connscope::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class SectionTest : public testing::Test {
 protected:
  Section read(std::string_view text) {
    auto parsed = Document::parse(text, "c.toml");
    EXPECT_TRUE(parsed) << parsed.error().message();
    document_ = *std::move(parsed);
    return document_.root();
  }

  [[nodiscard]] std::string problems() const {
    const Status status = document_.finish();
    return status ? "" : status.error().message();
  }

  Document document_ = *Document::parse("", "c.toml");
};

TEST_F(SectionTest, AbsentKeysGiveTheFallback) {
  const Section root = read("");
  EXPECT_EQ(root.text("a", "x"), "x");
  EXPECT_TRUE(root.flag("a", true));
  EXPECT_EQ(root.integer("a", 5, 0, 9), 5);
  EXPECT_EQ(root.number("a", 0.5, 0, 1), 0.5);
  EXPECT_EQ(root.duration("a", seconds(3), seconds(1), seconds(9)), seconds(3));
  EXPECT_THAT(root.texts("a"), IsEmpty());
  EXPECT_EQ(root.one_of("a", "x", {"x", "y"}), "x");
  EXPECT_FALSE(root.has("a"));
  EXPECT_THAT(root.tables("a"), IsEmpty());
  EXPECT_EQ(root.table("a").table("b").text("c", "x"), "x");
  EXPECT_EQ(problems(), "");
}

TEST_F(SectionTest, PresentKeysGiveTheirValue) {
  const Section root = read("t='v'\nf=false\ni=-3\nn=0.25\nw=2\nd='90s'\none='p'\nmany=['p','q']\nnone=[]\nc='y'\n");
  EXPECT_EQ(root.text("t", ""), "v");
  EXPECT_FALSE(root.flag("f", true));
  EXPECT_EQ(root.integer("i", 0, -3, 0), -3);
  EXPECT_EQ(root.number("n", 0, 0, 1), 0.25);
  EXPECT_EQ(root.number("w", 0, 0, 2), 2);
  EXPECT_EQ(root.duration("d", seconds(1), seconds(1), hours(1)), seconds(90));
  EXPECT_THAT(root.texts("one"), ElementsAre("p"));
  EXPECT_THAT(root.texts("many"), ElementsAre("p", "q"));
  EXPECT_THAT(root.texts("none"), IsEmpty());
  EXPECT_EQ(root.one_of("c", "x", {"x", "y"}), "y");
  EXPECT_EQ(problems(), "");
}

TEST_F(SectionTest, WrongTypesAreRefusedAndGiveTheFallback) {
  const Section root = read("t=1\nf='true'\ni=1.0\nn='1'\nd=1979-05-27\nm=[1]\nc=true\ns=[]\na={}\n");
  EXPECT_EQ(root.text("t", "x"), "x");
  EXPECT_TRUE(root.flag("f", true));
  EXPECT_EQ(root.integer("i", 5, 0, 9), 5);
  EXPECT_EQ(root.number("n", 0.5, 0, 1), 0.5);
  EXPECT_EQ(root.duration("d", seconds(3), milliseconds(500), hours(168)), seconds(3));
  EXPECT_THAT(root.texts("m"), IsEmpty());
  EXPECT_EQ(root.one_of("c", "x", {"x"}), "x");
  EXPECT_EQ(root.table("s").text("k", "x"), "x");
  EXPECT_THAT(root.tables("a"), IsEmpty());
  EXPECT_EQ(
      problems(),
      "c.toml:1: t: is an integer; allowed: a string in quotes\n"
      "c.toml:2: f: is a string; allowed: true, false\n"
      "c.toml:3: i: is a fraction; allowed: an integer from 0 to 9\n"
      "c.toml:4: n: is a string; allowed: a number from 0 to 1\n"
      "c.toml:5: d: is a date or time; allowed: from \"500ms\" to \"7d\", a whole number with its unit (ms, s, m, "
      "h, d)\n"
      "c.toml:6: m: has in it an integer; allowed: strings in quotes\n"
      "c.toml:7: c: is a boolean; allowed: a string in quotes\n"
      "c.toml:8: s: is an array; allowed: a table, [s]\n"
      "c.toml:9: a: is a table; allowed: an array of tables, [[a]]");
}

TEST_F(SectionTest, RangesIncludeTheirEnds) {
  const Section root = read("low=-1\nhigh=10\nmax=9223372036854775807\nn=1.5\nnan=nan\ninf=inf\nd='2h'\n");
  EXPECT_EQ(root.integer("low", 5, 0, 9), 5);
  EXPECT_EQ(root.integer("high", 5, 0, 9), 5);
  EXPECT_EQ(root.integer("max", 5, 0, std::numeric_limits<std::int64_t>::max()), 9223372036854775807);
  EXPECT_EQ(root.number("n", 0.5, 0, 1), 0.5);
  EXPECT_EQ(root.number("nan", 0.5, 0, 1), 0.5);
  EXPECT_EQ(root.number("inf", 0.5, 0, 1), 0.5);
  EXPECT_EQ(root.duration("d", seconds(3), seconds(1), hours(1)), seconds(3));
  EXPECT_EQ(problems(),
            "c.toml:1: low: -1 is out of range; allowed: an integer from 0 to 9\n"
            "c.toml:2: high: 10 is out of range; allowed: an integer from 0 to 9\n"
            "c.toml:4: n: 1.5 is out of range; allowed: a number from 0 to 1\n"
            "c.toml:5: nan: nan is out of range; allowed: a number from 0 to 1\n"
            "c.toml:6: inf: inf is out of range; allowed: a number from 0 to 1\n"
            "c.toml:7: d: \"2h\" is out of range; allowed: from \"1s\" to \"1h\", a whole number with its unit (ms, s, "
            "m, h, d)");
}

TEST_F(SectionTest, DurationsNeedTheirUnit) {
  const Section root = read("a=30\nb='30'\n");
  EXPECT_EQ(root.duration("a", seconds(3), seconds(1), hours(1)), seconds(3));
  EXPECT_EQ(root.duration("b", seconds(3), seconds(1), hours(1)), seconds(3));
  EXPECT_EQ(
      problems(),
      "c.toml:1: a: has no unit; allowed: from \"1s\" to \"1h\", a whole number with its unit (ms, s, m, h, d)\n"
      "c.toml:2: b: \"30\" is not a duration; allowed: from \"1s\" to \"1h\", a whole number with its unit (ms, s, "
      "m, h, d)");
}

TEST_F(SectionTest, ChoicesNameWhatThereIs) {
  EXPECT_EQ(read("a='jsno'\n").one_of("a", "text", {"text", "json"}), "text");
  EXPECT_EQ(problems(), "c.toml:1: a: \"jsno\" is unknown; allowed: text, json");
  EXPECT_EQ(read("a='influx_lime'\n").one_of("a", "none", {"none", "influx_line"}), "none");
  EXPECT_EQ(problems(),
            "c.toml:1: a: \"influx_lime\" is unknown (did you mean influx_line?); allowed: none, influx_line");
}

TEST_F(SectionTest, NulCharactersAreRefused) {
  const Section root = read("a=\"x\\u0000y\"\nb=['p', \"\\u0000\"]\n");
  EXPECT_EQ(root.text("a", "f"), "f");
  EXPECT_THAT(root.texts("b"), ElementsAre("p"));
  EXPECT_EQ(problems(),
            "c.toml:1: a: has a NUL character; allowed: strings without\n"
            "c.toml:2: b: has a NUL character; allowed: strings without");
}

TEST_F(SectionTest, TextsOfOneWrongValueIsNoText) {
  const Section root = read("a=1\n");
  EXPECT_THAT(root.texts("a"), IsEmpty());
  EXPECT_EQ(problems(), "c.toml:1: a: is an integer; allowed: strings in quotes");
}

TEST_F(SectionTest, ArraysOfTablesComeInFileOrder) {
  const Section root = read("[[p]]\nn=1\n[[p]]\nn=2\n[[p]]\n");
  const auto sections = root.tables("p");
  ASSERT_EQ(sections.size(), 3U);
  EXPECT_EQ(sections[0].integer("n", 0, 0, 9), 1);
  EXPECT_EQ(sections[1].integer("n", 0, 0, 9), 2);
  EXPECT_EQ(sections[2].integer("n", 0, 0, 9), 0);
  EXPECT_EQ(problems(), "");
}

TEST_F(SectionTest, ArraysOfTablesHaveOnlyTables) {
  const Section root = read("p = [{n = 1}, 5]\n");
  const auto sections = root.tables("p");
  ASSERT_EQ(sections.size(), 1U);
  EXPECT_EQ(sections[0].integer("n", 0, 0, 9), 1);
  EXPECT_EQ(problems(), "c.toml:1: p: has an integer in it; allowed: an array of tables, [[p]]");
}

TEST_F(SectionTest, NamesAreThoseOfSubSections) {
  const Section exporters = read("[exporter]\nx = 1\n[exporter.statsd]\n[exporter.graphite]\n").table("exporter");
  EXPECT_THAT(exporters.names(), ElementsAre("graphite", "statsd"));
  EXPECT_THAT(exporters.table("none").names(), IsEmpty());
}

TEST(Section, KnowsAFlagFromOtherValues) {
  auto document = Document::parse("a = false\nb = \"true\"\n", "test.toml");
  const Section root = document->root();
  EXPECT_TRUE(root.is_flag("a"));
  EXPECT_FALSE(root.is_flag("b"));
  EXPECT_FALSE(root.is_flag("c"));
  EXPECT_TRUE(document->finish()) << "a and b were asked for";
}

}  // namespace
}  // namespace connscope::config
