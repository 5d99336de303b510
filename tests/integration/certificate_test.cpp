// SPDX-License-Identifier: Apache-2.0
//
// The certificates that servers show to curl, and to a client whose library is not looked into: each counts once, by
// its issuer and by the days that it has left.

#include <chrono>
#include <memory>
#include <string>

#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tls_curl.h"
#include "tests/support/eventually.h"
#include "tests/support/tls_peers/tls_peers.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(10);
constexpr char kSwitchedOn[] = "[probe.certificates]\nenabled = true\nrescan = \"100ms\"\n";
constexpr char kExpiry[] = "conn_tls_peer_certificate_expiry_seconds";
constexpr char kPeers[] = "conn_tls_peer_certificates";

class PeerCertificates : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    certificates_ = std::make_unique<Certificates>(must(Certificates::make()));
    // The library is found in a process that has it, and curl has it for too short a time.
    holder_ = std::make_unique<TlsServer>(must(TlsServer::start(*certificates_, {"holder", "good", {}}, {})));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kSwitchedOn)));
  }
  static void TearDownTestSuite() {
    agent_.reset();
    holder_.reset();
    certificates_.reset();
  }
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    ASSERT_NE(agent_, nullptr) << "the agent did not start";
  }
  static void meet(const CurlClient& curl, const std::string& certificate, const std::string& version) {
    static_cast<void>(curl.get(*certificates_, certificate, {"--insecure", "--tlsv" + version, "--tls-max", version}));
  }
  /// By GnuTLS, of which the probe knows nothing.
  static void meet(const Actor& gnutls, const std::string& certificate, const std::string& version) {
    TlsServer server = must(TlsServer::start(*certificates_, {"server", certificate, {}}, {}));
    ChildProcess client = must(gnutls.start(
        {"client", server.port, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS" + version, "--verify", "waved"}));
    client.close_input();
    must(client.wait(kLimit));
  }
  /// The scrape in which the process has that many certificates, or the last one.
  template <class Client>
  static Exposition scrape_with(const Client& client, double count) {
    Exposition scrape = must(agent_->scrape());
    eventually(kLimit, [&] {
      if (scrape.sum(kPeers, {{"process", client.name()}}) == count) return true;
      scrape = must(agent_->scrape());
      return false;
    });
    return scrape;
  }
  static double left(const Exposition& scrape, const CurlClient& curl, const std::string& bound) {
    return scrape.sum(std::string(kExpiry) + "_bucket", {{"process", curl.name()}, {"le", bound}});
  }

  static inline std::unique_ptr<Certificates> certificates_;
  static inline std::unique_ptr<TlsServer> holder_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

TEST_F(PeerCertificates, CountOnceEachInBothVersions) {
  for (const std::string version : {"1.2", "1.3"}) {
    const CurlClient curl("curl_meets_" + version);
    meet(curl, "good", version);
    meet(curl, "good", version);
    EXPECT_EQ(scrape_with(curl, 1).sum(kPeers, {{"process", curl.name()}}), 1);
    meet(curl, "wronghost", version);
    EXPECT_EQ(scrape_with(curl, 2).sum(kPeers, {{"process", curl.name()}}), 2);
  }
}

TEST_F(PeerCertificates, AreShownByIssuerAndByWhatIsLeft) {
  const CurlClient curl("curl_issuers");
  meet(curl, "good", "1.3");
  meet(curl, "expired", "1.3");
  meet(curl, "unknownca", "1.3");
  const Exposition scrape = scrape_with(curl, 3);
  EXPECT_EQ(scrape.sum(kPeers, {{"process", curl.name()}, {"issuer", "connscope test ca"}}), 2);
  EXPECT_EQ(scrape.sum(kPeers, {{"process", curl.name()}, {"issuer", "connscope test other_ca"}}), 1);
  EXPECT_EQ(left(scrape, curl, "86400.0"), 1);  // the one that has expired
  EXPECT_EQ(left(scrape, curl, "+Inf"), 3);
}

TEST_F(PeerCertificates, OfTls12AreReadFromTheWireWhateverTheLibrary) {
  const Actor client = must(Actor::create("gnutls_meets_1.2", CONNSCOPE_GNUTLS_ACTOR));
  meet(client, "good", "1.2");
  meet(client, "good", "1.2");
  meet(client, "unknownca", "1.2");
  const Exposition scrape = scrape_with(client, 2);
  EXPECT_EQ(scrape.sum(kPeers, {{"process", client.name()}, {"issuer", "connscope test ca"}}), 1);
  EXPECT_EQ(scrape.sum(kPeers, {{"process", client.name()}, {"issuer", "connscope test other_ca"}}), 1);
  const Actor newer = must(Actor::create("gnutls_meets_1.3", CONNSCOPE_GNUTLS_ACTOR));
  meet(newer, "good", "1.3");
  EXPECT_EQ(scrape_with(newer, 0).sum(kPeers, {{"process", newer.name()}}), 0) << "they are encrypted there";
}

TEST(PeerCertificatesSwitch, IsOffByDefault) {
  CONNSCOPE_NEEDS_BPF();
  const Certificates certificates = must(Certificates::make());
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, ""));
  const CurlClient curl("curl_unseen");
  static_cast<void>(curl.get(certificates, "good", {"--insecure"}));
  const Exposition scrape = must(agent.scrape());
  EXPECT_EQ(scrape.sum("conn_tcp_connects_total", {{"process", curl.name()}}), 1);
  EXPECT_EQ(scrape.sum(kPeers, {}), 0);
}

}  // namespace
}  // namespace connscope::testing
