// SPDX-License-Identifier: Apache-2.0
//
// Whole attempts of curl: look-up, connect and TLS handshake are one, and curl's own clock says how long it took.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tls_curl.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(10);
constexpr char kConfig[] = "[probe.libc_lookup]\nrescan = \"100ms\"\n";
constexpr char kFamily[] = "conn_attempt_duration_seconds";

/// What the agent says of one process's attempts.
struct Attempts {
  double ok = 0;
  double failed = 0;
  double failed_at_tls = 0;
  double seconds = 0;
  double parts = 0;  // seconds of its look-ups, connects and handshakes
  double handshakes = 0;

  static Attempts of(const Exposition& scrape, const std::string& process) {
    const auto sum = [&](const std::string& name, LabelMap labels) {
      labels["process"] = process;
      return scrape.sum(name, labels);
    };
    const std::string count = std::string(kFamily) + "_count";
    Attempts attempts;
    attempts.ok = sum(count, {{"outcome", "ok"}});
    attempts.failed = sum(count, {{"outcome", "fail"}});
    attempts.failed_at_tls = sum(count, {{"outcome", "fail"}, {"stage", "tls"}});
    attempts.seconds = sum(std::string(kFamily) + "_sum", {});
    for (const char* part : {"conn_dns_lookup_duration_seconds_sum", "conn_tcp_connect_duration_seconds_sum",
                             "conn_tls_handshake_duration_seconds_sum"})
      attempts.parts += sum(part, {});
    attempts.handshakes = sum("conn_tls_handshake_duration_seconds_count", {});
    return attempts;
  }
};

class TlsAttempt : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    certificates_ = std::make_unique<Certificates>(must(Certificates::make()));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig)));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    certificates_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }
  static std::vector<std::string> trusting(const std::string& authority, const std::vector<std::string>& options) {
    std::vector<std::string> all = {"--cacert", certificates_->pem(authority)};
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }
  /// Once that many attempts have been told.
  static Attempts counted(const CurlClient& curl, double wanted) {
    Attempts attempts;
    eventually(kLimit, [&] {
      attempts = Attempts::of(must(agent_->scrape()), curl.name());
      return attempts.ok + attempts.failed >= wanted;
    });
    return attempts;
  }
  static void expect_one_whole_attempt(const std::string& version) {
    const CurlClient curl("curl_" + version);
    const double said = curl.get(*certificates_, "good", trusting("ca", {"--tlsv" + version, "--tls-max", version}));
    EXPECT_GT(said, 0);
    const Attempts attempts = counted(curl, 1);
    EXPECT_EQ(attempts.ok, 1);
    EXPECT_EQ(attempts.failed, 0);
    EXPECT_EQ(attempts.handshakes, 1);
    EXPECT_GE(attempts.seconds, 0.999 * attempts.parts);
    EXPECT_LE(attempts.seconds, said + 0.001);
  }

  static inline std::unique_ptr<Certificates> certificates_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

TEST_F(TlsAttempt, IsOneFromTheLookUpToTheEndOfTheHandshake) {
  expect_one_whole_attempt("1.2");
  expect_one_whole_attempt("1.3");
}

TEST_F(TlsAttempt, FailsAtTlsWhereTheCertificateIsRefused) {
  for (const std::string version : {"1.2", "1.3"}) {
    const CurlClient curl("curl_refuses_" + version);
    EXPECT_EQ(curl.get(*certificates_, "good", trusting("other_ca", {"--tls-max", version})), 0);
    const Attempts attempts = counted(curl, 1);
    EXPECT_EQ(attempts.ok, 0);
    EXPECT_EQ(attempts.failed, 1);
    EXPECT_EQ(attempts.failed_at_tls, 1);
    EXPECT_GE(attempts.seconds, 0.999 * attempts.parts);
  }
}

TEST_F(TlsAttempt, EndsWithTheConnectWhereNoTlsFollows) {
  const CurlClient curl("curl_plain");
  EXPECT_EQ(curl.get(*certificates_, "good", {}, "http"), 0);
  const Attempts attempts = counted(curl, 1);
  EXPECT_EQ(attempts.ok, 1);
  EXPECT_EQ(attempts.failed, 0);
  EXPECT_EQ(attempts.handshakes, 0);
}

/// By then it has spoken to its server: what comes is no part of getting there.
TEST_F(TlsAttempt, EndsWithTheConnectWhereTlsIsAskedForLater) {
  const CurlClient content("curl_mail");
  EXPECT_GT(content.get(*certificates_, "good", trusting("ca", {}), "smtp"), 0);
  const CurlClient refusing("curl_mail_refuses");
  EXPECT_EQ(refusing.get(*certificates_, "good", trusting("other_ca", {}), "smtp"), 0);
  for (const CurlClient* curl : {&content, &refusing}) {
    SCOPED_TRACE(curl->name());
    const Attempts attempts = counted(*curl, 1);
    EXPECT_EQ(attempts.ok, 1);
    EXPECT_EQ(attempts.failed, 0);
    EXPECT_EQ(attempts.handshakes, 1) << "which counts by itself";
    EXPECT_LT(attempts.seconds, attempts.parts) << "the handshake is no part of it";
  }
  const LabelMap refusal = {{"process", refusing.name()}, {"stage", "tls"}};
  EXPECT_EQ(must(agent_->scrape()).sum("conn_failures_total", refusal), 1);
}

}  // namespace
}  // namespace connscope::testing
