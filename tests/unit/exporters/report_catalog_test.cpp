// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/report_exporter.h"
#include "exporters/socket_address.h"
#ifdef CONNSCOPE_WITH_PUSHGATEWAY
#include "exporters/pushgateway.h"
#endif

namespace connscope::exporters {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

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

TEST(ReportCatalog, P13_EachKindThatPoliciesNameIsThereWithoutASection) {
  const auto names = read("").names;
  EXPECT_THAT(names, IsSupersetOf({"log", "statsd"}));
  EXPECT_THAT(names, Not(Contains("pushgateway"))) << "it would push unasked";
}

TEST(ReportCatalog, AnotherOneOfAKindHasANameOfItsOwn) {
  const Read made = read("[exporter.far]\ntype = \"statsd\"\naddress = \"stats.example:8125\"\naccumulate = true\n");
  EXPECT_EQ(made.problems, "");
  EXPECT_THAT(made.names, Contains("far"));
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
  EXPECT_THAT(read("[exporter.carbon]\n").problems, HasSubstr("c.toml:1: exporter.carbon: is no exporter"));
  EXPECT_THAT(read("[exporter.far]\ntype = \"stats\"\n").problems, HasSubstr("did you mean statsd"));
}

#ifdef CONNSCOPE_WITH_GRAPHITE
TEST(ReportCatalog, P13_Graphite) {
  const auto problem = [](const std::string& line) { return read("[exporter.graphite]\n" + line + "\n").problems; };
  for (const char* line : {"address = \"[::1]:2003\"", "tags = true", "prefix = \"a.b\"", "timeout = \"100ms\"",
                           "timeout = \"10s\"", "accumulate = true"})
    EXPECT_EQ(problem(line), "") << line;
  EXPECT_THAT(problem("address = \"x\""), HasSubstr("c.toml:2: exporter.graphite.address"));
  EXPECT_THAT(problem("timeout = \"11s\""), HasSubstr("c.toml:2: exporter.graphite.timeout"));
  EXPECT_THAT(problem("tags = \"path\""), HasSubstr("true, false"));
}
#endif

#ifdef CONNSCOPE_WITH_INFLUXDB
TEST(ReportCatalog, P13_InfluxDb) {
  const auto problem = [](const std::string& line) { return read("[exporter.influxdb]\n" + line + "\n").problems; };
  for (const char* line :
       {"url = \"https://influx.example:8086/base\"", "url = \"udp://[::1]:8089\"\npacket_bytes = 512",
        "database = \"a b\"\nretention_policy = \"week\"", "org = \"o\"\nbucket = \"b\"\ntoken_file = \"/t\"",
        "username = \"u\"\npassword_file = \"/p\"", "ca_file = \"/ca\"\ncertificate_file = \"/c\"\nkey_file = \"/k\""})
    EXPECT_EQ(problem(line), "") << line;
  for (const char* url : {"", "influx:8086", "ftp://x", "http://", "http://a b", "http://x?db=y", "udp://x", "unix:/x"})
    EXPECT_THAT(problem("url = \"" + std::string(url) + "\""), HasSubstr("c.toml:2: exporter.influxdb.url")) << url;
  EXPECT_THAT(problem("url = \"http://me:secret@x\""), AllOf(HasSubstr("password_file"), Not(HasSubstr("secret"))))
      << "secrets are in no message";
  EXPECT_THAT(problem("username = \"u\""), HasSubstr("both or neither"));
  EXPECT_THAT(problem("bucket = \"b\""), HasSubstr("org and bucket belong together"));
  EXPECT_THAT(problem("org = \"o\"\nbucket = \"b\"\ndatabase = \"d\""), HasSubstr("version 2's"));
  EXPECT_THAT(problem("url = \"udp://[::1]:1\"\ndatabase = \"d\""), HasSubstr("unknown key"));
}
#endif

#ifdef CONNSCOPE_WITH_PUSHGATEWAY
TEST(ReportCatalog, P13_Pushgateway) {
  const auto problem = [](const std::string& line) { return read("[exporter.pushgateway]\n" + line + "\n").problems; };
  for (const char* line :
       {"", "interval = \"1s\"", "job = \"a/b\"\ninstance = \"\"", "names = [\"conn_*\"]", "delete_at_stop = true"})
    EXPECT_EQ(problem(line), "") << line;
  EXPECT_THAT(problem("interval = \"0s\""), HasSubstr("c.toml:2: exporter.pushgateway.interval"));
  EXPECT_THAT(problem("job = \"\""), HasSubstr("c.toml:2: exporter.pushgateway.job"));
  EXPECT_THAT(problem("accumulate = true"), HasSubstr("unknown key"));
  EXPECT_EQ(pushgateway_path("connscope", "web1.example"), "/metrics/job/connscope/instance/web1.example");
  EXPECT_EQ(pushgateway_path("a/b c", ""), "/metrics/job@base64/YS9iIGM/instance@base64/=");
  EXPECT_EQ(pushgateway_path("..", "[::1]:9"), "/metrics/job@base64/Li4/instance@base64/Wzo6MV06OQ");
}
#endif

TEST(SocketAddress, IsShownAsItWasGiven) {
  for (const char* text : {"127.0.0.1:8125", "[::1]:8125", "statsd.example:1", "unix:/run/statsd.sock"})
    EXPECT_EQ(SocketAddress::parse(text).value().text(), text);
}

#ifdef CONNSCOPE_WITH_OTLP
TEST(ReportCatalog, P13_Otlp) {
  const auto problem = [](const std::string& line) { return read("[exporter.otlp]\n" + line + "\n").problems; };
  for (const char* line : {"url = \"https://collector:4318/v1/metrics\"", "encoding = \"json\"", "interval = \"60s\"",
                           "temporality = \"delta\"", "attributes = [\"deployment.environment=test\", \"host.name=x\"]",
                           "names = [\"conn_*\"]", "token_file = \"/t\""})
    EXPECT_EQ(problem(line), "") << line;
  EXPECT_THAT(problem("encoding = \"grpc\""), HasSubstr("allowed: protobuf, json"));
  EXPECT_THAT(problem("temporality = \"both\""), HasSubstr("allowed: cumulative, delta"));
  EXPECT_THAT(problem("attributes = [\"service.name=x\"]"), HasSubstr("is the process of each series"));
  EXPECT_THAT(problem("attributes = [\"x\"]"), HasSubstr("c.toml:2: exporter.otlp.attributes: \"x\" is no pair"));
}
#endif

#ifdef CONNSCOPE_WITH_REMOTE_WRITE
TEST(ReportCatalog, P13_RemoteWrite) {
  const auto problem = [](const std::string& line) { return read("[exporter.remote_write]\n" + line + "\n").problems; };
  for (const char* line : {"url = \"https://mimir:8080/api/v1/push\"", "interval = \"1s\"", "job = \"hosts\"",
                           "instance = \"web1\"", "labels = [\"region=eu\", \"rack=a=b\"]", "queue = \"/tmp/q\"",
                           "queue_mebibytes = 1", "histograms = \"both\"", "names = [\"conn_*\"]"})
    EXPECT_EQ(problem(line), "") << line;
  EXPECT_THAT(problem("queue = \"relative\""), HasSubstr("c.toml:2: exporter.remote_write.queue: \"relative\" is no"));
  EXPECT_THAT(problem("queue_mebibytes = 0"), HasSubstr("out of range"));
  EXPECT_THAT(problem("histograms = \"sparse\""), HasSubstr("allowed: classic, native, both"));
  for (const char* pair : {"region", "=eu", "region="})
    EXPECT_THAT(problem("labels = [\"" + std::string(pair) + "\"]"), HasSubstr("allowed: NAME=VALUE")) << pair;
  for (const char* name : {"__x", "1a", "a-b", "a b"})
    EXPECT_THAT(problem("labels = [\"" + std::string(name) + "=v\"]"), HasSubstr("is no name of a label")) << name;
  EXPECT_THAT(problem("labels = [\"a=1\", \"a=2\"]"), HasSubstr("each name once"));
  EXPECT_THAT(problem("labels = [\"job=x\"]"), HasSubstr("has a key of its own"));
  EXPECT_THAT(problem("url = \"http://" + std::string(250, 'h') + "\""), HasSubstr("too long"));
}
#endif

}  // namespace
}  // namespace connscope::exporters
