// SPDX-License-Identifier: Apache-2.0
//
// What OTLP requests say, read as JSON, and what answers mean. That both encodings are those of the published
// definitions is tests/conformance/otlp_decode.py's to say.
#include "exporters/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/metrics/registry.h"
#include "exporters/otlp_answer.h"
#include "tests/support/bad_receiver.h"
#include "tests/unit/exporters/reports.h"

namespace connscope::exporters {
namespace {

using namespace std::chrono_literals;
using connscope::testing::BadReceiver;
using connscope::testing::Behaviour;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

metrics::WallTime at(int seconds) { return metrics::WallTime(std::chrono::seconds(seconds)); }

/// A registry of which all was created at second 1.
class Metrics {
 public:
  metrics::Registry registry{{1000, [] { return at(1); }}};
  metrics::Family<metrics::Counter>* counters =
      registry.family<metrics::Counter>({"sent_bytes", "Sent.", "bytes", {"process", "role"}, ""}).value();

  metrics::SnapshotPtr snapshot(int seconds) {
    auto made = std::make_shared<metrics::Snapshot>(*registry.snapshot());
    made->taken_at = at(seconds);
    return made;
  }
};

json request_in_form(const metrics::Snapshot* before, const metrics::Snapshot& after, const OtlpForm& form) {
  std::string out;
  encode_otlp(before, after, {}, form, out);
  return json::parse(out)["resourceMetrics"];
}

json request_of(const metrics::Snapshot* before, const metrics::Snapshot& after, bool is_delta = false,
                const metrics::Labels& attributes = {}) {
  return request_in_form(before, after, {MessageEncoding::kJson, is_delta, attributes});
}

/// The only metric of the only resource.
json metric_of(const json& resources) {
  EXPECT_EQ(resources.size(), 1U);
  EXPECT_EQ(resources[0]["scopeMetrics"][0]["metrics"].size(), 1U);
  return resources[0]["scopeMetrics"][0]["metrics"][0];
}

std::vector<std::string> texts_of(const json& attributes) {
  std::vector<std::string> texts;
  for (const auto& one : attributes)
    texts.push_back(one["key"].get<std::string>() + "=" + one["value"]["stringValue"].get<std::string>());
  return texts;
}

TEST(OtlpEncoder, L30_EachProcessIsAResource) {
  Metrics metrics;
  (*metrics.counters->with({"curl", "client"}))->add(std::uint64_t{7});
  (*metrics.counters->with({"", ""}))->add(std::uint64_t{8});
  const json resources = request_of(nullptr, *metrics.snapshot(2), false, {{"host.name", "web1"}});
  ASSERT_EQ(resources.size(), 2U);
  EXPECT_THAT(texts_of(resources[0]["resource"]["attributes"]),
              ElementsAre("service.name=connscope", "host.name=web1"));
  EXPECT_THAT(texts_of(resources[1]["resource"]["attributes"]), ElementsAre("service.name=curl", "host.name=web1"));
  const json metric = resources[1]["scopeMetrics"][0]["metrics"][0];
  EXPECT_EQ(metric["name"], "sent_bytes");
  EXPECT_EQ(metric["unit"], "By");
  EXPECT_EQ(metric["sum"]["isMonotonic"], true);
  EXPECT_EQ(metric["sum"]["aggregationTemporality"], 2);
  const json point = metric["sum"]["dataPoints"][0];
  EXPECT_THAT(texts_of(point["attributes"]), ElementsAre("role=client")) << "the process is the resource";
  EXPECT_EQ(point["asInt"], "7");
  EXPECT_EQ(point["startTimeUnixNano"], "1000000000");
  EXPECT_EQ(point["timeUnixNano"], "2000000000");
}

TEST(OtlpEncoder, WhatTheTargetSaysIsOfEveryResource) {
  Metrics metrics;
  (*metrics.counters->with({"curl", ""}))->add(std::uint64_t{1});
  metrics::Snapshot snapshot = *metrics.snapshot(2);
  const auto target = std::make_shared<metrics::FamilyDescriptor>();
  target->name = "target";
  metrics::Sample sample{std::make_shared<const std::vector<std::string>>(), metrics::InfoValue{{{"os", "linux"}}}};
  snapshot.families.push_back({target, metrics::MetricType::kInfo, {sample}});
  const json resources = request_of(nullptr, snapshot);
  ASSERT_EQ(resources.size(), 1U);
  EXPECT_THAT(texts_of(resources[0]["resource"]["attributes"]), ElementsAre("service.name=curl", "os=linux"));
}

TEST(OtlpEncoder, ExponentialBucketsHaveTheIndexOfTheirLowerBound) {
  metrics::Registry registry({10, [] { return at(1); }});
  auto* family = registry
                     .family<metrics::Histogram>({"x_seconds", "", "seconds", {}, ""},
                                                 metrics::BucketLayout::exponential(0, -1, 3, 1))
                     .value();
  auto* series = *family->with({});
  for (const double value : {0.1, 0.75, 1.5, 1.75, 3.0, 100.0}) series->observe(value);
  const json metric = metric_of(request_of(nullptr, *registry.snapshot()));
  const json point = metric["exponentialHistogram"]["dataPoints"][0];
  EXPECT_EQ(point["scale"], 0);
  EXPECT_EQ(point["count"], "6");
  EXPECT_EQ(point["zeroCount"], "1");
  EXPECT_EQ(point["zeroThreshold"], 0.5);
  EXPECT_EQ(point["positive"]["offset"], -1) << "(2^-1, 2^0]";
  EXPECT_EQ(point["positive"]["bucketCounts"], json::parse(R"(["1", "2", "1", "0", "1"])"))
      << "what is above 2^3 is in the bucket after it";
}

TEST(OtlpEncoder, BoundsOfTheirOwnAreExplicit) {
  metrics::Registry registry({10, [] { return at(1); }});
  auto* family =
      registry.family<metrics::Histogram>({"x", "", "", {}, ""}, metrics::BucketLayout::create({1, 2}).value()).value();
  (*family->with({}))->observe(1.5);
  const json point = metric_of(request_of(nullptr, *registry.snapshot()))["histogram"]["dataPoints"][0];
  EXPECT_EQ(point["explicitBounds"], json::parse("[1, 2]"));
  EXPECT_EQ(point["bucketCounts"], json::parse(R"(["0", "1", "0"])"));
}

TEST(OtlpEncoder, ADeltaIsTheDifferenceToTheDelivery) {
  Metrics metrics;
  auto* counter = *metrics.counters->with({"curl", "client"});
  counter->add(std::uint64_t{7});
  const auto first = metrics.snapshot(2);
  counter->add(std::uint64_t{3});
  const json data = metric_of(request_of(first.get(), *metrics.snapshot(4), true))["sum"];
  EXPECT_EQ(data["aggregationTemporality"], 1);
  EXPECT_EQ(data["dataPoints"][0]["asInt"], "3");
  EXPECT_EQ(data["dataPoints"][0]["startTimeUnixNano"], "2000000000");
  ASSERT_TRUE(metrics.counters->remove({"curl", "client"}));
  (*metrics.counters->with({"curl", "client"}))->add(std::uint64_t{2});
  const json anew = metric_of(request_of(first.get(), *metrics.snapshot(6), true))["sum"]["dataPoints"][0];
  EXPECT_EQ(anew["asInt"], "2") << "one that began anew has no difference";
  EXPECT_EQ(anew["startTimeUnixNano"], "1000000000");
}

TEST(OtlpEncoder, ExemplarsAreSentOnceWhereTheyAreWanted) {
  Metrics metrics;
  (*metrics.counters->with({"", ""}))->add(std::uint64_t{1});
  metrics::Snapshot first = *metrics.snapshot(2);
  first.families.front().exemplars = {
      {0, 0, std::make_shared<const metrics::Exemplar>(metrics::Exemplar{{{"peer", "a:1"}}, 1, at(2)})}};
  const auto point = [&](const metrics::Snapshot* before, bool is_delta, bool is_wanted) {
    const OtlpForm form{MessageEncoding::kJson, is_delta, {}, is_wanted};
    return metric_of(request_in_form(before, first, form))["sum"]["dataPoints"][0];
  };
  for (const bool is_delta : {false, true}) {
    EXPECT_EQ(point(nullptr, is_delta, true)["exemplars"], json::parse(R"([{"timeUnixNano": "2000000000",
        "asDouble": 1, "filteredAttributes": [{"key": "peer", "value": {"stringValue": "a:1"}}]}])"));
    EXPECT_FALSE(point(&first, is_delta, true).contains("exemplars"));
    EXPECT_FALSE(point(nullptr, is_delta, false).contains("exemplars"));
  }
}

TEST(OtlpEncoder, WhatBeganBeforeTheAgentIsNoDifferenceAtFirst) {
  metrics::Registry registry({10, [] { return at(1); }});
  metrics::FamilyDescriptor descriptor{"boot", "", "", {}, ""};
  descriptor.external = true;
  (*(*registry.family<metrics::Counter>(descriptor))->with({}))->add(std::uint64_t{1000});
  std::string out;
  encode_otlp(nullptr, *registry.snapshot(), {}, {MessageEncoding::kJson, true, {}}, out);
  EXPECT_EQ(out.find("boot"), std::string::npos);
}

TEST(OtlpAnswer, SaysWhatWasRejected) {
  const auto json_answer = [](std::string_view body) { return read_otlp_answer(MessageEncoding::kJson, body); };
  EXPECT_EQ(json_answer(R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"a\nb"}})").rejected, 3U);
  EXPECT_EQ(json_answer(R"({"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"a\nb"}})").message, "a b");
  for (const char* body :
       {"", "{}", "[]", "{", R"({"partialSuccess":7})", R"({"partialSuccess":{"rejectedDataPoints":"-1"}})",
        R"({"partialSuccess":{"rejectedDataPoints":{}}})"})
    EXPECT_EQ(json_answer(body).rejected, 0U) << body;
  const auto binary = [](std::string_view body) { return read_otlp_answer(MessageEncoding::kProtobuf, body); };
  EXPECT_EQ(binary({"\x0a\x06\x08\x03\x12\x02no", 8}).rejected, 3U);
  EXPECT_EQ(binary({"\x0a\x06\x08\x03\x12\x02no", 8}).message, "no");
  EXPECT_EQ(binary("").rejected, 0U);
  EXPECT_EQ(binary({"\x0a\x06\x08\x03\x12\x09no", 8}).rejected, 0U) << "cut off";
}

class OtlpTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReportExporter> make(const std::string& more) {
    const std::string text =
        "[exporter.otlp]\ntimeout = \"300ms\"\nurl = \"" + receiver_.url() + "/v1/metrics\"\n" + more;
    const auto document = config::Document::parse(text, "c.toml").value();
    auto exporters = make_report_exporters(document.root(), {[](std::string_view) {}});
    EXPECT_TRUE(document.finish()) << document.finish().error().message();
    for (auto& exporter : exporters)
      if (exporter.name == "otlp") return std::move(exporter.exporter);
    return nullptr;
  }

  Sent send(ReportExporter& exporter, int seconds) {
    counter_->add(std::uint64_t{5});
    metrics::Report report = test::report_of({});
    metrics::Snapshot snapshot = *metrics_.snapshot(seconds);
    snapshot.families.front().exemplars = {{0, 0, exemplar_}};
    report.snapshot = std::make_shared<const metrics::Snapshot>(std::move(snapshot));
    return exporter.send(report);
  }

  void answer(const std::string& status, const std::string& body = "") {
    receiver_.behave(Behaviour::kAnswer,
                     "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  /// The only point of the last request.
  [[nodiscard]] json last_point() const {
    const std::string request = receiver_.received().back();
    const json body = json::parse(request.substr(request.find("\r\n\r\n") + 4));
    return metric_of(body["resourceMetrics"])["sum"]["dataPoints"][0];
  }
  [[nodiscard]] std::string last_value() const { return last_point()["asInt"]; }

  Metrics metrics_;
  metrics::Counter* counter_ = *metrics_.counters->with({"curl", ""});
  std::shared_ptr<const metrics::Exemplar> exemplar_ =
      std::make_shared<const metrics::Exemplar>(metrics::Exemplar{{{"peer", "a:1"}}, 1, at(2)});
  BadReceiver receiver_{Behaviour::kAnswer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
};

TEST_F(OtlpTest, SaysWhichEncodingItIs) {
  ASSERT_TRUE(send(*make(""), 2).status);
  EXPECT_THAT(receiver_.received().back(), HasSubstr("POST /v1/metrics HTTP/1.1\r\n"));
  EXPECT_THAT(receiver_.received().back(), HasSubstr("\r\nContent-Type: application/x-protobuf\r\n"));
  ASSERT_TRUE(send(*make("encoding = \"json\"\n"), 3).status);
  EXPECT_THAT(receiver_.received().back(), HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_EQ(last_value(), "10") << "cumulative";
}

TEST_F(OtlpTest, DeltasOutliveAnOutageAndAReload) {
  auto exporter = make("encoding = \"json\"\ntemporality = \"delta\"\n");
  ASSERT_TRUE(send(*exporter, 2).status);
  EXPECT_EQ(last_value(), "5");
  answer("503 Down");
  EXPECT_EQ(send(*exporter, 3).retry_after, 0s);
  auto next = make("encoding = \"json\"\ntemporality = \"delta\"\n");
  next->take_over(*exporter);
  answer("200 OK");
  ASSERT_TRUE(send(*next, 4).status);
  EXPECT_EQ(last_value(), "10") << "what rose since the delivery";
}

TEST_F(OtlpTest, AnExemplarIsSentUntilItHasArrived) {
  ASSERT_TRUE(send(*make("encoding = \"json\"\n"), 2).status);
  EXPECT_FALSE(last_point().contains("exemplars")) << "nobody has asked for them";
  auto exporter = make("encoding = \"json\"\nexemplars = true\n");
  answer("503 Down");
  EXPECT_TRUE(send(*exporter, 3).retry_after);
  answer("200 OK");
  ASSERT_TRUE(send(*exporter, 4).status);
  EXPECT_TRUE(last_point().contains("exemplars"));
  auto next = make("encoding = \"json\"\nexemplars = true\n");
  next->take_over(*exporter);
  ASSERT_TRUE(send(*next, 5).status);
  EXPECT_FALSE(last_point().contains("exemplars"));
  EXPECT_EQ(last_value(), "20") << "the sum is cumulative still";
}

TEST_F(OtlpTest, OnlySomeAnswersMayBeTriedAgain) {
  const auto exporter = make("");
  for (const char* status : {"429 Slow", "502 Bad", "503 Down", "504 Late"}) {
    answer(status);
    EXPECT_TRUE(send(*exporter, 2).retry_after) << status;
  }
  for (const char* status : {"400 Bad", "401 Who", "500 Broken", "501 No", "302 There"}) {
    answer(status);
    const Sent sent = send(*exporter, 2);
    EXPECT_FALSE(sent.status) << status;
    EXPECT_FALSE(sent.retry_after) << status;
  }
}

TEST_F(OtlpTest, PartOfARequestMayBeRejected) {
  answer("200 OK", R"({"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"too \"old\""}})");
  const Sent sent = send(*make("encoding = \"json\"\n"), 2);
  EXPECT_EQ(sent.refused, 2U);
  EXPECT_EQ(sent.packets, 1U) << "the rest has arrived";
  ASSERT_FALSE(sent.status);
  EXPECT_FALSE(sent.retry_after);
  EXPECT_THAT(sent.status.error().message(), HasSubstr("rejects 2 points: \"too \\\"old\\\"\""));
}

}  // namespace
}  // namespace connscope::exporters
