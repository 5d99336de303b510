// SPDX-License-Identifier: Apache-2.0
//
// A real Prometheus scrapes the agent, and its query gives the number that is known.
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

namespace connscope::testing {
namespace {

constexpr char kPrometheus[] = "/usr/bin/prometheus";
constexpr std::chrono::seconds kLimit(30);

class PrometheusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_EQ(::access(kPrometheus, X_OK), 0) << "needs " << kPrometheus << " (scripts/setup.sh installs it)";
  }
};

/// Prometheus with one target, on a free port, with its data in a folder of its own.
class Prometheus {
 public:
  static Prometheus start(std::uint16_t target) {
    TempDir folder = must(TempDir::create());
    const std::string config = must(folder.write("prometheus.yml",
                                                 "global: {scrape_interval: 1s}\nscrape_configs:\n"
                                                 "- job_name: connscope\n  static_configs:\n  - targets: ['127.0.0.1:" +
                                                     std::to_string(target) + "']\n"));
    // The port is free from here on, as nothing else takes ports just given back.
    const std::string port = must(RefusingPort::take()).port();
    ChildProcess child = must(
        ChildProcess::spawn({{kPrometheus, "--config.file=" + config, "--storage.tsdb.path=" + folder.path() + "/data",
                              "--enable-feature=exemplar-storage", "--web.listen-address=127.0.0.1:" + port},
                             -1,
                             {}}));
    return {std::move(folder), std::move(child), static_cast<std::uint16_t>(std::stoi(port))};
  }

  /// The value of the one sample that the query yields; empty before there is one.
  [[nodiscard]] std::optional<double> query(const std::string& expression) const {
    const auto reply = http_get("127.0.0.1", port_, "/api/v1/query?query=" + escaped(expression));
    if (!reply || reply->status != 200) return std::nullopt;
    // {"status":"success","data":{"resultType":"vector","result":[{"metric":{…},"value":[TIME,"NUMBER"]}]}}
    static constexpr std::string_view kValue = "\"value\":[";
    const std::size_t value = reply->body.find(kValue);
    const std::size_t number = value == std::string::npos ? value : reply->body.find(",\"", value);
    if (number == std::string::npos) return std::nullopt;
    return std::strtod(reply->body.c_str() + number + 2, nullptr);
  }
  /// What is known of the exemplars of a series, as Prometheus says it.
  [[nodiscard]] std::string exemplars(const std::string& series) const {
    const auto reply = http_get("127.0.0.1", port_, "/api/v1/query_exemplars?query=" + escaped(series));
    return reply && reply->status == 200 ? reply->body : "";
  }
  [[nodiscard]] std::string log() const { return child_.standard_error(); }

 private:
  Prometheus(TempDir folder, ChildProcess child, std::uint16_t port)
      : folder_(std::move(folder)), child_(std::move(child)), port_(port) {}

  static std::string escaped(const std::string& text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) != 0 || c == '_') {
        out += c;
      } else {
        out += {'%', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
      }
    }
    return out;
  }

  TempDir folder_;
  ChildProcess child_;
  std::uint16_t port_;
};

TEST_F(PrometheusTest, ItsQueryGivesTheNumberOfConnectsAndExemplarsTheirPeer) {
  const auto agent = must(AgentProcess::start({CONNSCOPE_AGENT}, "[exemplars]\npeers = true\n"));
  const Actor actor = must(Actor::create("scraped"));
  const NetNamespace apart = must(NetNamespace::create());
  const Prometheus prometheus = Prometheus::start(agent.port());
  must(actor.run({"connect", "127.0.0.1", "7000", "--count", "7"}, apart.fd()));

  const std::string process = "process=\"" + actor.name() + "\"";
  const std::string failures = "conn_failures_total{" + process + R"(,stage="tcp",reason="refused"})";
  ASSERT_TRUE(eventually(kLimit, [&] { return prometheus.query(failures) == 7; })) << prometheus.log();
  EXPECT_EQ(prometheus.query("sum(conn_tcp_connects_total{" + process + "})"), 7);
  EXPECT_EQ(prometheus.query("sum(conn_tcp_connect_duration_seconds_count{" + process + R"(,outcome="fail"}))"), 7);
  EXPECT_EQ(prometheus.query(R"(up{job="connscope"})"), 1);
  const std::string durations = "conn_tcp_connect_duration_seconds_bucket{" + process + "}";
  for (const std::string& series : {failures, durations}) {
    EXPECT_TRUE(eventually(kLimit, [&] {
      return prometheus.exemplars(series).find(R"("labels":{"peer":"127.0.0.1:7000","pid":)") != std::string::npos;
    })) << prometheus.exemplars(series);
  }
}

}  // namespace
}  // namespace connscope::testing
