// SPDX-License-Identifier: Apache-2.0
//
// Byte for byte what Redis gets, and what becomes of a transfer whose answer is lost.
#include "exporters/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/base/file.h"
#include "agent/metrics/registry.h"
#include "exporters/prometheus_text.h"
#include "exporters/redis_fields.h"
#include "exporters/redis_source.h"
#include "tests/conformance/hostile_snapshot.h"
#include "tests/support/bad_receiver.h"

namespace connscope::exporters {
namespace {

using connscope::testing::BadReceiver;
using connscope::testing::Behaviour;
using metrics::Registry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

/// The commands as words, one command a line.
std::string words(const RedisCommands& commands) {
  const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(), redisReaderFree);
  redisReaderFeed(reader.get(), commands.bytes().data(), commands.bytes().size());
  std::string text;
  for (std::size_t i = 0; i < commands.count(); ++i) {
    void* made = nullptr;
    EXPECT_EQ(redisReaderGetReply(reader.get(), &made), REDIS_OK);
    const RedisReply command(static_cast<redisReply*>(made), freeReplyObject);
    for (std::size_t word = 0; word < command->elements; ++word)
      text.append(word == 0 ? "" : " ").append(text_of(*command->element[word]));
    text += '\n';
  }
  return text;
}

std::string transfer(const metrics::Snapshot* before, const metrics::Snapshot& after) {
  RedisCommands commands;
  encode_redis(before, after, "ns", commands);
  return words(commands);
}

class RedisTransfer : public ::testing::Test {
 protected:
  Registry registry_{{1000, [] { return metrics::WallTime(); }}};
};

TEST_F(RedisTransfer, I6_OnlyWhatRoseIsAdded) {
  auto* family = registry_.family<metrics::Counter>({"app_requests", "Requests.", "", {"b", "a"}, ""}).value();
  auto* busy = family->with({"x\"y", "1"}).value();
  auto* idle = family->with({"", "2"}).value();
  busy->add(std::uint64_t{3});
  const auto first = registry_.snapshot();
  EXPECT_EQ(transfer(nullptr, *first),
            "HSETNX ns app_requests_total:t: c\n"
            "HSETNX ns app_requests_total:d: Requests.\n"
            "HINCRBY ns app_requests_total::a=\"1\",b=\"x\\\"y\" 3\n"
            "HINCRBY ns app_requests_total::a=\"2\" 0\n");
  busy->add(std::uint64_t{4});
  EXPECT_TRUE(busy->add(0.5));
  static_cast<void>(idle);
  EXPECT_EQ(transfer(first.get(), *registry_.snapshot()),
            "HSETNX ns app_requests_total:t: c\n"
            "HSETNX ns app_requests_total:d: Requests.\n"
            "HINCRBYFLOAT ns app_requests_total::a=\"1\",b=\"x\\\"y\" 4.5\n");
}

TEST_F(RedisTransfer, BucketsAreCumulativeAndSumsAreFloats) {
  auto* wait = registry_
                   .family<metrics::Histogram>({"wait_seconds", "", "seconds", {"p"}, ""},
                                               metrics::BucketLayout::create({0.5, 1}).value())
                   .value()
                   ->with({"ui"})
                   .value();
  wait->observe(0.25);
  const auto first = registry_.snapshot();
  wait->observe(0.75);
  wait->observe(9);
  EXPECT_EQ(transfer(first.get(), *registry_.snapshot()),
            "HSETNX ns wait_seconds:t: h\n"
            "HINCRBY ns wait_seconds:b:le=\"1.0\",p=\"ui\" 1\n"
            "HINCRBY ns wait_seconds:b:le=\"+Inf\",p=\"ui\" 2\n"
            "HINCRBY ns wait_seconds:c:p=\"ui\" 2\n"
            "HINCRBYFLOAT ns wait_seconds:s:p=\"ui\" 9.75\n");
}

TEST_F(RedisTransfer, TotalsThatAreOlderThanTheAgentCountFromWhatWasSeenFirst) {
  metrics::FamilyDescriptor descriptor{"node_reads", "", "", {}, ""};
  descriptor.external = true;
  auto* reads = registry_.family<metrics::Counter>(descriptor).value()->with({}).value();
  reads->add(std::uint64_t{1'000'000});
  const auto first = registry_.snapshot();
  EXPECT_EQ(transfer(nullptr, *first), "HSETNX ns node_reads_total:t: c\n");
  reads->add(std::uint64_t{5});
  EXPECT_THAT(transfer(first.get(), *registry_.snapshot()), HasSubstr("HINCRBY ns node_reads_total:: 5\n"));
}

TEST(RedisGolden, HostileSnapshot) {
  const auto golden = read_file(CONNSCOPE_SOURCE_DIR "/tests/fixtures/reports/hostile.redis.txt");
  RedisCommands commands;
  EXPECT_EQ(encode_redis(nullptr, *connscope::test::make_hostile_snapshot(), "ns", commands), 11U);
  EXPECT_EQ(words(commands), golden ? *golden : golden.error().message());
}

TEST(RedisField, BothWays) {
  const metrics::Labels labels = {{"b", "x:y,\"z\"\n"}, {"a", "\\"}, {"empty", ""}};
  const auto field = parse_redis_field("app_x:b:" + redis_labels(labels)).value();
  EXPECT_EQ(field.name, "app_x");
  EXPECT_EQ(field.extension, "b");
  EXPECT_THAT(field.labels, ElementsAre(Pair("a", "\\"), Pair("b", "x:y,\"z\"\n")));
  EXPECT_THAT(parse_redis_field("x::").value().labels, IsEmpty());
  EXPECT_EQ(parse_redis_field("x:t:").value().extension, "t");
}

TEST(RedisField, WhatIsNoneIsRefused) {
  for (const char* field : {"", "x", "x:", ":t:", "x::a", "x::a=", "x::a=\"", "x::a=\"b\"c", "x::=\"b\"", "x::a=\"b\\",
                            "x::a=\"b\"c=\"d\"", "x::a=\"b\",", "x::a=\"b\",a=\"c\"", "x::,a=\"b\""})
    EXPECT_FALSE(parse_redis_field(field)) << field;
}

/// The hash as Prometheus text, without comments.
std::string exposed(const std::vector<RedisHash>& hashes, RefusedFields& refused) {
  std::string text;
  PrometheusTextEncoder().encode(*decode_redis(hashes, refused), {}, text);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    if (text[at] != '#') lines += text.substr(at, text.find('\n', at) + 1 - at);
  return lines;
}

TEST(RedisSource, I1_AHashOfAnotherProgramIsShown) {
  RefusedFields refused;
  EXPECT_EQ(exposed({{"app",
                      {{"requests_total::", "32"},
                       {"requests_total::method=\"POST\",handler=\"/messages\"", "12"},
                       {"requests_total:d:", "Total."},
                       {"requests_total:t:", "c"},
                       {"celcius::location=\"Main\",sensor=\"34\"", "-1.5"},
                       {"celcius:t:", "g"},
                       {"wait_seconds:b:le=\"0.05\"", "4"},
                       {"wait_seconds:b:le=\"1\"", "6"},
                       {"wait_seconds:b:le=\"+Inf\"", "9"},
                       {"wait_seconds:s:", "12.5"},
                       {"wait_seconds:c:", "9"},
                       {"wait_seconds:t:", "h"},
                       {"rpc_seconds::quantile=\"0.5\"", "0.25"},
                       {"rpc_seconds:s:", "1.5"},
                       {"rpc_seconds:c:", "3"},
                       {"rpc_seconds:t:", "s"}}}},
                    refused),
            "celcius{location=\"Main\",sensor=\"34\"} -1.5\n"
            "requests_total 32\n"
            "requests_total{handler=\"/messages\",method=\"POST\"} 12\n"
            "rpc_seconds{quantile=\"0.5\"} 0.25\nrpc_seconds_sum 1.5\nrpc_seconds_count 3\n"
            "wait_seconds_bucket{le=\"0.05\"} 4\nwait_seconds_bucket{le=\"1.0\"} 6\n"
            "wait_seconds_bucket{le=\"+Inf\"} 9\nwait_seconds_sum 12.5\nwait_seconds_count 9\n");
  EXPECT_EQ(refused["app"], 0U);
}

TEST(RedisSource, I5_WhatWouldSpoilAScrapeIsLeftOutAndCounted) {
  RefusedFields refused;
  EXPECT_EQ(exposed({{"app",
                      {{"good::", "1"},
                       {"no field", "1"},
                       {"words::", "x"},
                       {"bad name::", "1"},
                       {"reserved::__a=\"b\"", "1"},
                       {"falls_total:t:", "c"},
                       {"falls_total::", "-1.5"}}}},
                    refused),
            "good 1\n");
  EXPECT_EQ(refused["app"], 5U);
}

TEST(RedisSource, I14_SeveralNamespacesAreTold) {
  RefusedFields refused;
  EXPECT_EQ(exposed({{"a", {{"x_total::", "1"}, {"x_total:t:", "c"}}}, {"b", {{"x_total::k=\"v\"", "2"}}}}, refused),
            "x_total{k=\"v\",namespace=\"b\"} 2\nx_total{namespace=\"a\"} 1\n");
}

class RedisExporterTest : public ::testing::Test {
 protected:
  /// The exporter of a config whose server is at that port.
  static std::unique_ptr<ReportExporter> make(const std::string& port, const std::string& keys = {}) {
    const auto document = config::Document::parse("[exporter.redis]\naddress = \"127.0.0.1:" + port +
                                                      "\"\ntimeout = \"300ms\"\nnames = [\"hostile_level\"]\n" + keys,
                                                  "c.toml")
                              .value();
    for (auto& exporter : make_report_exporters(document.root(), {[](std::string_view) {}}))
      if (exporter.name == "redis") return std::move(exporter.exporter);
    return nullptr;
  }
  static metrics::Report report() {
    metrics::Report made;
    made.snapshot = connscope::test::make_hostile_snapshot();
    return made;
  }
};

TEST_F(RedisExporterTest, BadServersAreGivenUpInTimeAndTriedAgain) {
  for (const Behaviour behaviour : {Behaviour::kHang, Behaviour::kReset, Behaviour::kGarbage}) {
    const BadReceiver receiver(behaviour);
    const Sent sent = make(receiver.port())->send(report());
    ASSERT_FALSE(sent.status) << static_cast<int>(behaviour);
    EXPECT_TRUE(sent.retry_after);
    EXPECT_THAT(sent.status.error().message(), HasSubstr("127.0.0.1:" + receiver.port()));
  }
}

TEST_F(RedisExporterTest, WhetherALostTransferWasRunIsAskedBeforeTheNext) {
  BadReceiver receiver(Behaviour::kReset);
  const auto exporter = make(receiver.port());
  EXPECT_FALSE(exporter->send(report()).status);
  EXPECT_FALSE(exporter->send(report()).status);
  const auto received = receiver.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_THAT(received[0], HasSubstr("MULTI"));
  EXPECT_THAT(received[1], HasSubstr("GET\r\n"));
  EXPECT_THAT(received[1], Not(HasSubstr("MULTI")));
}

TEST_F(RedisExporterTest, ANewConfigDoesNotAddEverythingAgain) {
  BadReceiver receiver(Behaviour::kReset);
  const auto exporter = make(receiver.port());
  EXPECT_FALSE(exporter->send(report()).status);
  const auto other = make(receiver.port(), "expire = \"1h\"\n");
  other->take_over(*exporter);
  EXPECT_FALSE(other->send(report()).status);
  EXPECT_THAT(receiver.received().back(), HasSubstr("GET\r\n")) << "it knows of the transfer in doubt";
}

}  // namespace
}  // namespace connscope::exporters
