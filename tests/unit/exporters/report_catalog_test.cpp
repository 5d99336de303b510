// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/datagram_sender.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  std::vector<std::string> names;
  std::vector<std::string> accumulating;
  std::string problems;
};

Read read(const std::string& text) {
  const auto document = config::Document::parse(text, "c.toml").value();
  Read made;
  for (const auto& exporter : make_report_exporters(document.root(), {[](std::string_view) {}})) {
    made.names.push_back(exporter.name);
    if (exporter.accumulates) made.accumulating.push_back(exporter.name);
  }
  const Status legal = document.finish();
  made.problems = legal ? "" : legal.error().message();
  return made;
}

TEST(ReportCatalog, P13_EachKindIsThereWithoutASection) { EXPECT_THAT(read("").names, ElementsAre("log", "statsd")); }

TEST(ReportCatalog, AnotherOneOfAKindHasANameOfItsOwn) {
  const Read made = read("[exporter.far]\ntype = \"statsd\"\naddress = \"stats.example:8125\"\naccumulate = true\n");
  EXPECT_EQ(made.problems, "");
  EXPECT_THAT(made.names, ElementsAre("log", "statsd", "far"));
  EXPECT_THAT(made.accumulating, ElementsAre("far"));
}

TEST(ReportCatalog, P13_EveryValueThatIsLegalIsTaken) {
  for (const char* line : {"address = \"127.0.0.1:8125\"", "address = \"[::1]:1\"", "address = \"statsd:8125\"",
                           "address = \"unix:/run/s.sock\"", "tags = \"path\"", "tags = \"dogstatsd\"",
                           "packet_bytes = 256", "packet_bytes = 65000", "prefix = \"web1.eu\"", "accumulate = true"})
    EXPECT_EQ(read(std::string("[exporter.statsd]\n") + line + "\n").problems, "") << line;
}

TEST(ReportCatalog, P13_ABadValueIsRefusedWithItsLine) {
  const auto problem = [](const std::string& line) { return read("[exporter.statsd]\n" + line + "\n").problems; };
  for (const char* address :
       {"", "8125", "host", "host:0", "host:65536", "host:x", ":8125", "::1:8125", "unix:", "unix:s", "a b:1"})
    EXPECT_THAT(problem("address = \"" + std::string(address) + "\""), HasSubstr("c.toml:2: exporter.statsd.address"))
        << address;
  EXPECT_THAT(problem("address = \"unix:/" + std::string(108, 'x') + "\""), HasSubstr("allowed: HOST:PORT"));
  EXPECT_THAT(problem("tags = \"datadog\""), HasSubstr("allowed: path, dogstatsd"));
  EXPECT_THAT(problem("packet_bytes = 255"), HasSubstr("out of range"));
  EXPECT_THAT(problem("prefix = \"a b\""), HasSubstr("\"a b\" is no name"));
  EXPECT_THAT(problem("accumulate = 1"), HasSubstr("true, false"));
  EXPECT_THAT(problem("adress = \"x:1\""), HasSubstr("did you mean address"));
  EXPECT_THAT(read("[exporter.graphite]\n").problems, HasSubstr("c.toml:1: exporter.graphite: is no exporter"));
  EXPECT_THAT(read("[exporter.far]\ntype = \"stats\"\n").problems, HasSubstr("did you mean statsd"));
}

TEST(DatagramAddress, IsShownAsItWasGiven) {
  for (const char* text : {"127.0.0.1:8125", "[::1]:8125", "statsd.example:1", "unix:/run/statsd.sock"})
    EXPECT_EQ(DatagramAddress::parse(text).value().text(), text);
}

}  // namespace
}  // namespace connscope::exporters
