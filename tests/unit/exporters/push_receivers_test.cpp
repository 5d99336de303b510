// SPDX-License-Identifier: Apache-2.0
//
// Each exporter that waits for a server, with servers that hang, reset, answer nonsense, or are not there: how long
// send() may take, and what of the report becomes of it (issue H, bar 3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "exporters/report_exporter.h"
#include "tests/support/bad_receiver.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/exporters/hostile_report.h"

namespace connscope::exporters {
namespace {

using namespace test;
using namespace std::chrono_literals;
using connscope::testing::BadReceiver;
using connscope::testing::Behaviour;
using connscope::testing::eventually;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kTimeout = 300ms;
const std::string kNoContent = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

/// The exporter of a kind, as this section of the config makes it.
std::unique_ptr<ReportExporter> make(const std::string& kind, const std::string& keys) {
  const auto document =
      config::Document::parse("[exporter." + kind + "]\ntimeout = \"300ms\"\n" + keys, "c.toml").value();
  auto exporters = make_report_exporters(document.root(), {[](std::string_view) {}});
  EXPECT_TRUE(document.finish()) << document.finish().error().message();
  for (auto& exporter : exporters)
    if (exporter.name == kind) return std::move(exporter.exporter);
  ADD_FAILURE() << "no exporter " << kind;
  return nullptr;
}

Report report() {
  Report made = hostile_report();
  made.snapshot = connscope::test::make_hostile_snapshot();
  return made;
}

/// A kind, and the key that says where its server is, with @ for HOST:PORT.
struct Kind {
  const char* name;
  const char* keys;
  bool is_http;
};

std::unique_ptr<ReportExporter> make(const Kind& kind, const std::string& port) {
  std::string keys = kind.keys;
  return make(kind.name, keys.replace(keys.find('@'), 1, "127.0.0.1:" + port));
}

class PushReceiver : public ::testing::TestWithParam<Kind> {
 protected:
  /// Sends, and says how long that took.
  Sent send(ReportExporter& exporter) {
    const auto begin = std::chrono::steady_clock::now();
    Sent sent = exporter.send(report());
    took_ = std::chrono::steady_clock::now() - begin;
    return sent;
  }
  std::chrono::steady_clock::duration took_{};
};

TEST_P(PushReceiver, BadOnesAreGivenUpInTimeAndTriedAgain) {
  for (const Behaviour behaviour : {Behaviour::kHang, Behaviour::kReset, Behaviour::kGarbage, Behaviour::kEndless}) {
    if (behaviour == Behaviour::kEndless && !GetParam().is_http) continue;
    if (behaviour == Behaviour::kGarbage && !GetParam().is_http) continue;  // what it says means nothing there
    const BadReceiver receiver(behaviour);
    const auto exporter = make(GetParam(), receiver.port());
    const Sent sent = send(*exporter);
    EXPECT_FALSE(sent.status) << static_cast<int>(behaviour);
    EXPECT_TRUE(sent.retry_after) << static_cast<int>(behaviour);
    EXPECT_THAT(sent.status.error().message(), HasSubstr("127.0.0.1:" + receiver.port()));
    EXPECT_EQ(sent.packets, 0U);
    EXPECT_LT(took_, kTimeout + 2s);
  }
}

TEST_P(PushReceiver, NobodyIsThere) {
  std::string port;
  { port = BadReceiver(Behaviour::kHang).port(); }
  const auto exporter = make(GetParam(), port);
  const Sent sent = send(*exporter);
  ASSERT_FALSE(sent.status);
  EXPECT_TRUE(sent.retry_after);
}

TEST_P(PushReceiver, ItRecovers) {
  BadReceiver receiver(Behaviour::kReset);
  const auto exporter = make(GetParam(), receiver.port());
  EXPECT_FALSE(send(*exporter).status);
  if (!GetParam().is_http) {
    receiver.behave(Behaviour::kSink);
  } else {
    receiver.behave(Behaviour::kAnswer, kNoContent);
  }
  const Sent sent = send(*exporter);
  ASSERT_TRUE(sent.status) << sent.status.error().message();
  EXPECT_GE(sent.packets, 1U);
  EXPECT_GT(sent.bytes, 100U);
}

std::vector<Kind> kinds() {
  return {
#ifdef CONNSCOPE_WITH_GRAPHITE
      {"graphite", "address = \"@\"\n", false},
#endif
#ifdef CONNSCOPE_WITH_INFLUXDB
      {"influxdb", "url = \"http://@\"\n", true},
#endif
#ifdef CONNSCOPE_WITH_OTLP
      {"otlp", "url = \"http://@/v1/metrics\"\n", true},
#endif
#ifdef CONNSCOPE_WITH_PUSHGATEWAY
      {"pushgateway", "url = \"http://@/base/\"\n", true},
#endif
  };
}

// A build may have none of these kinds.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PushReceiver);
INSTANTIATE_TEST_SUITE_P(Each, PushReceiver, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

#ifdef CONNSCOPE_WITH_INFLUXDB
Sent send_to_influxdb(const BadReceiver& receiver, const std::string& keys) {
  return make("influxdb", "url = \"" + receiver.url() + "\"\n" + keys)->send(report());
}

TEST(HttpSender, AnAnswerSaysWhetherItIsWorthTryingAgain) {
  const BadReceiver busy(Behaviour::kAnswer,
                         "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow");
  const Sent later = send_to_influxdb(busy, "");
  ASSERT_FALSE(later.status);
  EXPECT_THAT(later.status.error().message(), HasSubstr("answers 429 \"slow\""));
  EXPECT_EQ(later.retry_after, 7s);
  const BadReceiver broken(Behaviour::kAnswer, "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(send_to_influxdb(broken, "").retry_after, 0s);
  const BadReceiver strict(Behaviour::kAnswer,
                           "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\na\x01"
                           "b\nc");
  const Sent never = send_to_influxdb(strict, "");
  EXPECT_FALSE(never.retry_after);
  EXPECT_EQ(never.status.error().message().find('\n'), std::string::npos) << "one line in the log";
}

TEST(HttpSender, P20_Version2IsAskedByItsPathAndToken) {
  const auto folder = connscope::testing::TempDir::create().value();
  const std::string token = folder.path() + "/token";
  const BadReceiver receiver(Behaviour::kAnswer, kNoContent);
  const std::string keys = "org = \"a b\"\nbucket = \"c/d\"\ntoken_file = \"" + token + "\"\n";
  const Sent early = send_to_influxdb(receiver, keys);
  ASSERT_FALSE(early.status);
  EXPECT_THAT(early.status.error().message(), HasSubstr(token)) << "the file is not there yet";
  std::ofstream(token) << "s3cret\n";
  ASSERT_TRUE(send_to_influxdb(receiver, keys).status);
  const std::string request = receiver.received().back();
  EXPECT_THAT(request, StartsWith("POST /api/v2/write?org=a%20b&bucket=c%2Fd&precision=ns HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: Token s3cret\r\n"));
  std::ofstream(token) << "two\nlines\n";
  EXPECT_FALSE(send_to_influxdb(receiver, keys).status);
}
#endif

}  // namespace
}  // namespace connscope::exporters
