// SPDX-License-Identifier: Apache-2.0
//
// TLS handshakes as the wire shows them: scripted peers send exactly the bytes of a case, and both sides must be
// counted, once each, with the right outcome and reason. Client and server are of this process, so a case is two
// handshakes.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "bpf/tls/tls_alerts.h"
#include "bpf/tls/tls_names.h"
#include "tests/integration/bpf_required.h"
#include "tests/integration/lab.h"
#include "tests/integration/tls_counts.h"
#include "tests/support/eventually.h"
#include "tests/support/tls_bytes.h"
#include "tests/support/wire_pair.h"

namespace connscope::testing {
namespace {

using std::chrono::milliseconds;
using namespace tls;  // NOLINT: the bytes are the words of these tests

constexpr char kProcess[] = "tls_wire_integration_test";
constexpr char kCertRefusedLate[] = "other_alert";

std::string hello() { return handshake(client_hello({.server_name = "server.test"})); }
std::string retry() { return handshake(server_hello({.is_retry = true})) + change_cipher_spec(); }
/// A client's Certificate without one, and its Finished: what it sends when it was asked for a certificate.
std::string client_flight_when_asked() { return change_cipher_spec() + hidden(25) + hidden_finished(); }
std::string ticket() { return hidden(250); }

TlsCounts ok(const std::string& version, const std::string& refusal = {}) {
  TlsCounts counts;
  counts.ok[version] = 1;
  if (!refusal.empty()) counts.failures[refusal] = 1;
  return counts;
}
TlsCounts resumed(const std::string& version) {
  TlsCounts counts = ok(version);
  counts.resumed[version] = 1;
  return counts;
}
TlsCounts failed(const std::string& version, const std::string& reason) {
  TlsCounts counts;
  counts.failed[version] = 1;
  counts.failures[reason] = 1;
  return counts;
}

class TlsWireTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    agent_ = std::make_unique<AgentProcess>(
        must(AgentProcess::start({CONNSCOPE_AGENT}, "[probe.tls]\ncipher_labels = true\nhost_labels = 3\n")));
  }
  static void TearDownTestSuite() { agent_.reset(); }
  void SetUp() override { CONNSCOPE_NEEDS_BPF(); }

  struct Both {
    TlsCounts client;
    TlsCounts server;
  };
  using Play = std::function<void(WirePair&)>;

  static Both now() {
    const Exposition shown = must(agent_->scrape());
    expect_tls_laws(shown, kProcess);
    return {TlsCounts::of(shown, kProcess, "client"), TlsCounts::of(shown, kProcess, "server")};
  }

  /// Plays it and closes what is still open, the client first. Returns what has come of it; fails unless that is what
  /// is wanted.
  static Both expect(const TlsCounts& client, const TlsCounts& server, const Play& play,
                     WirePair::Opening opening = WirePair::Opening::kPlain) {
    const Both before = now();
    {
      WirePair pair = must(WirePair::open(opening));
      play(pair);
    }
    Both news;
    eventually(milliseconds(3000), [&] {
      const Both after = now();
      news = {after.client.since(before.client), after.server.since(before.server)};
      return has_counts(news.client, client) && has_counts(news.server, server);
    });
    {
      SCOPED_TRACE("client");
      expect_counts(news.client, client);
    }
    SCOPED_TRACE("server");
    expect_counts(news.server, server);
    return news;
  }

  static double alerts(const std::string& direction, const std::string& alert) {
    return must(agent_->scrape())
        .sum("conn_tls_alerts_total", {{"process", kProcess}, {"direction", direction}, {"alert", alert}});
  }

  void TearDown() override {
    if (!agent_) return;
    EXPECT_EQ(must(agent_->scrape()).sum("connscope_lost_events_total", {{"probe", "tls"}}), 0);
  }

  static std::unique_ptr<AgentProcess> agent_;
};
std::unique_ptr<AgentProcess> TlsWireTest::agent_;

void finish_13(WirePair& pair) {
  must(pair.server_sends(server_flight_13()));
  must(pair.client_sends(change_cipher_spec() + hidden_finished()));
  must(pair.server_sends(ticket()));
  must(pair.client_sends(hidden(100)));
}
void finish_12(WirePair& pair) {
  must(pair.server_sends(server_flight_12()));
  must(pair.client_sends(client_key_exchange() + finished_12()));
  must(pair.server_sends(finished_12()));
}

// --- success ---

TEST_F(TlsWireTest, Tls13) {
  expect(ok("1.3"), ok("1.3"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    finish_13(pair);
  });
}

TEST_F(TlsWireTest, Tls12) {
  expect(ok("1.2"), ok("1.2"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    finish_12(pair);
  });
}

TEST_F(TlsWireTest, AFailureHasTheHostThatWasAskedFor) {
  const std::string reason = "unrecognized_name";
  expect(failed("unknown", reason), failed("unknown", reason), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(alert(112)));
    must(pair.close_server());
  });
  LabelMap labels = {{"process", kProcess}, {"stage", "tls"}, {"reason", reason}};
  const Exposition shown = must(agent_->scrape());
  for (const char* role : {"client", "server"}) {
    labels["role"] = role;
    labels.erase("host");
    const double all = shown.sum("conn_failures_total", labels);
    labels["host"] = "server.test";
    EXPECT_GE(all, 1);
    EXPECT_EQ(shown.sum("conn_failures_total", labels), all);
  }
}

TEST_F(TlsWireTest, OverIpv6) {
  const auto play = [](WirePair& pair) {
    must(pair.client_sends(hello()));
    finish_13(pair);
  };
  expect(ok("1.3"), ok("1.3"), play, WirePair::Opening::kIpv6);
}

TEST_F(TlsWireTest, ClientHelloThatOpensTheConnection) {
  const auto play = [](WirePair& pair) {
    must(pair.client_sends(hello()));
    finish_12(pair);
  };
  expect(ok("1.2"), ok("1.2"), play, WirePair::Opening::kDeferred);
}

TEST_F(TlsWireTest, Resumed) {
  expect(resumed("1.2"), resumed("1.2"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(handshake(server_hello({.version = kTls12, .cipher = kEcdheRsaAes128Gcm})) + finished_12()));
    must(pair.client_sends(finished_12()));
  });
  expect(resumed("1.3"), resumed("1.3"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(handshake(server_hello({.extensions = pre_shared_key()})) + hidden(27) + hidden_finished()));
    must(pair.client_sends(hidden_finished()));
    must(pair.client_sends(hidden(100)));
  });
}

TEST_F(TlsWireTest, EarlyData) {
  expect(resumed("1.3"), resumed("1.3"), [](WirePair& pair) {
    must(pair.client_sends(hello() + change_cipher_spec() + hidden(200) + hidden(19)));
    must(pair.server_sends(handshake(server_hello({.extensions = pre_shared_key()})) + hidden(27) + hidden_finished()));
    must(pair.client_sends(hidden(21) + hidden_finished()));
    must(pair.server_sends(ticket()));
  });
}

TEST_F(TlsWireTest, HelloRetryRequest) {
  expect(ok("1.3"), ok("1.3"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(retry()));
    must(pair.client_sends(change_cipher_spec() + hello()));
    finish_13(pair);
  });
}

TEST_F(TlsWireTest, AfterAPlaintextStart) {
  for (const bool is_postgres : {false, true}) {
    expect(ok("1.3"), ok("1.3"), [&](WirePair& pair) {
      if (is_postgres) {
        must(pair.client_sends(std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8)));
        must(pair.server_sends("S"));
      } else {
        must(pair.server_sends("220 mail.test ESMTP\r\n"));
        must(pair.client_sends("EHLO here\r\n"));
        must(pair.server_sends("250-mail.test\r\n250 STARTTLS\r\n"));
        must(pair.client_sends("STARTTLS\r\n"));
        must(pair.server_sends("220 go on\r\n"));
      }
      must(pair.client_sends(hello()));
      finish_13(pair);
    });
  }
}

// --- how bytes are cut ---

TEST_F(TlsWireTest, ClientHelloCutAtEachByteOfItsHeaders) {
  for (std::size_t at = 1; at <= 10; ++at) {
    SCOPED_TRACE(at);
    expect(ok("1.3"), ok("1.3"), [&](WirePair& pair) {
      must(pair.client_sends_each({hello().substr(0, at), hello().substr(at)}));
      finish_13(pair);
    });
  }
}

TEST_F(TlsWireTest, ClientHelloOverSeveralSegmentsAndRecords) {
  const std::string large =
      client_hello({.server_name = "server.test", .extensions = extension(51, std::string(1700, 'k'))});
  for (const std::size_t size : {100U, 536U, 1448U}) {
    SCOPED_TRACE(size);
    expect(ok("1.3"), ok("1.3"), [&](WirePair& pair) {
      must(pair.client_sends_each(cut(handshake(large), size)));
      finish_13(pair);
    });
  }
  expect(ok("1.3"), ok("1.3"), [&](WirePair& pair) {
    must(pair.client_sends(handshake(large.substr(0, 90)) + handshake(large.substr(90))));
    finish_13(pair);
  });
}

TEST_F(TlsWireTest, EveryFlightByteByByte) {
  expect(ok("1.2"), ok("1.2"), [](WirePair& pair) {
    must(pair.client_sends_each(cut(hello(), 1)));
    must(pair.server_sends_each(cut(server_flight_12(), 1)));
    must(pair.client_sends_each(cut(client_key_exchange() + finished_12(), 1)));
    must(pair.server_sends_each(cut(finished_12(), 1)));
  });
}

TEST_F(TlsWireTest, WhatBeginsLikeAHelloAndIsNone) {
  for (const std::string& bytes : {std::string("\x16"), std::string("\x16\x03"), std::string("\x16ordinary")}) {
    expect({}, {}, [&](WirePair& pair) {
      must(pair.client_sends(bytes));
      must(pair.client_sends("and so on, without any more of it"));
      must(pair.server_sends("thank you"));
    });
  }
}

// --- alerts ---

TEST_F(TlsWireTest, AlertOfTheServerAfterClientHello) {
  for (const unsigned alert_number : {40U, 47U, 70U, 71U, 80U, 112U, 120U}) {
    const std::string reason = bpf::tls_reason_name(tls_alert_reason(static_cast<std::uint8_t>(alert_number)));
    const std::string name = bpf::tls_alert_name(static_cast<std::uint8_t>(alert_number));
    SCOPED_TRACE(name);
    const double sent = alerts("sent", name);
    const double received = alerts("received", name);
    expect(failed("unknown", reason), failed("unknown", reason), [&](WirePair& pair) {
      must(pair.client_sends(hello()));
      must(pair.server_sends(alert(alert_number)));
      must(pair.close_server());
    });
    EXPECT_EQ(alerts("sent", name) - sent, 1);
    EXPECT_EQ(alerts("received", name) - received, 1);
  }
}

TEST_F(TlsWireTest, AlertOfTheClientAfterTheServersFlight) {
  for (const unsigned alert_number : {42U, 43U, 44U, 45U, 46U, 48U, 49U, 51U}) {
    const std::string reason = bpf::tls_reason_name(tls_alert_reason(static_cast<std::uint8_t>(alert_number)));
    SCOPED_TRACE(reason);
    for (const bool is_old : {false, true}) {
      const std::string version = is_old ? "1.2" : "1.3";
      expect(failed(version, reason), failed(version, reason), [&](WirePair& pair) {
        must(pair.client_sends(hello()));
        must(pair.server_sends(is_old ? server_flight_12() : server_flight_13()));
        must(pair.client_sends(alert(alert_number)));
        must(pair.close_client());
      });
    }
  }
}

TEST_F(TlsWireTest, WarningsEndNothing) {
  const double received = alerts("received", "unrecognized_name");
  expect(ok("1.2"), ok("1.2"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(alert(112, 1)));
    finish_12(pair);
  });
  EXPECT_EQ(alerts("received", "unrecognized_name") - received, 1);
}

TEST_F(TlsWireTest, FarewellInTheHandshake) {
  expect(failed("unknown", "peer_closed"), failed("unknown", "aborted"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(alert(0, 1)));
  });
  expect(failed("1.2", "aborted"), failed("1.2", "peer_closed"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_12()));
    must(pair.client_sends(alert(90, 1) + alert(0, 1)));
  });
}

TEST_F(TlsWireTest, HiddenAlertOfTheClient) {
  expect(failed("1.3", "other_alert"), failed("1.3", "other_alert"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_13()));
    must(pair.client_sends(change_cipher_spec() + hidden_alert()));
    must(pair.close_client());
  });
  expect(failed("1.2", "other_alert"), failed("1.2", "other_alert"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_12()));
    must(pair.client_sends(client_key_exchange() + change_cipher_spec() + record(21, std::string(26, 'a'))));
  });
}

TEST_F(TlsWireTest, PaddedAlertOfTheClientAndPaddedFinished) {
  expect(failed("1.3", "other_alert"), failed("1.3", "other_alert"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_13()));
    must(pair.client_sends(change_cipher_spec() + hidden(19 + 16)));
    must(pair.close_client());
  });
  expect(ok("1.3"), ok("1.3"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(handshake(server_hello()) + hidden(35) + hidden_finished()));
    must(pair.client_sends(change_cipher_spec() + hidden(69 + 16)));
    must(pair.server_sends(hidden_alert()));
    must(pair.close_server());
  });
}

TEST_F(TlsWireTest, CertificateOfTheClientRefusedAfterSuccess) {
  expect(ok("1.3", kCertRefusedLate), ok("1.3", kCertRefusedLate), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_13()));
    must(pair.client_sends(client_flight_when_asked()));
    must(pair.server_sends(hidden_alert()));
    must(pair.close_server());
  });
}

TEST_F(TlsWireTest, WhatIsNoRefusalAfterSuccess) {
  const auto play = [](const std::string& client_flight, const std::string& answer) {
    expect(ok("1.3"), ok("1.3"), [&](WirePair& pair) {
      must(pair.client_sends(hello()));
      must(pair.server_sends(server_flight_13()));
      must(pair.client_sends(client_flight));
      must(pair.server_sends(answer));
      must(pair.close_server());
    });
  };
  play(client_flight_when_asked(), ticket() + hidden_alert());
  play(client_flight_when_asked(), hidden_alert() + hidden(400));
  play(change_cipher_spec() + hidden_finished(), hidden_alert());
}

// --- the connection breaks off ---

enum class Break { kFin, kReset };

class TlsBreakTest : public TlsWireTest, public ::testing::WithParamInterface<std::tuple<bool, bool, Break>> {};

TEST_P(TlsBreakTest, OneSideGoes) {
  const auto [is_answered, by_client, how] = GetParam();
  const std::string version = is_answered ? "1.3" : "unknown";
  const TlsCounts gone = failed(version, "aborted");
  const TlsCounts left = failed(version, how == Break::kFin ? "peer_closed" : "peer_reset");
  expect(by_client ? gone : left, by_client ? left : gone,
         [&, answered = is_answered, client = by_client, way = how](WirePair& pair) {
           must(pair.client_sends(hello()));
           if (answered) must(pair.server_sends(server_flight_13()));
           if (way == Break::kFin) must(client ? pair.close_client() : pair.close_server());
           if (way == Break::kReset) must(client ? pair.reset_client() : pair.reset_server());
         });
}

INSTANTIATE_TEST_SUITE_P(EachPhaseAndSide, TlsBreakTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Values(Break::kFin, Break::kReset)));

TEST_F(TlsWireTest, SilenceOfThePeer) {
  const auto wait = [] { std::this_thread::sleep_for(milliseconds(1100)); };
  expect(failed("unknown", "timeout"), failed("unknown", "peer_closed"), [&](WirePair& pair) {
    must(pair.client_sends(hello()));
    wait();
    must(pair.close_client());
  });
  expect(failed("1.3", "peer_closed"), failed("1.3", "timeout"), [&](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_13()));
    wait();
    must(pair.close_server());
  });
}

TEST_F(TlsWireTest, ServerThatTakesItsTimeAndGivesUpHasNotWaited) {
  expect(failed("unknown", "peer_closed"), failed("unknown", "aborted"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    std::this_thread::sleep_for(milliseconds(1100));
    must(pair.close_server());
  });
}

TEST_F(TlsWireTest, PeerThatSpeaksNoTls) {
  expect(failed("unknown", "not_tls"), {}, [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends("HTTP/1.1 400 Bad Request\r\n\r\n"));
    must(pair.close_server());
  });
  expect(failed("1.2", "aborted"), failed("1.2", "not_tls"), [](WirePair& pair) {
    must(pair.client_sends(hello()));
    must(pair.server_sends(server_flight_12()));
    must(pair.client_sends("quit\r\n"));
    must(pair.close_client());
  });
}

// --- figures beside the outcome ---

TEST_F(TlsWireTest, DurationsFromHelloToFinished) {
  for (const int delay_ms : {20, 200}) {
    const Both news = expect(ok("1.2"), ok("1.2"), [&](WirePair& pair) {
      const auto wait = [&] { std::this_thread::sleep_for(milliseconds(delay_ms)); };
      must(pair.client_sends(hello()));
      wait();
      must(pair.server_sends(server_flight_12()));
      wait();
      must(pair.client_sends(client_key_exchange() + finished_12()));
      wait();
      must(pair.server_sends(finished_12()));
    });
    const double wanted = 3 * delay_ms / 1000.0;
    EXPECT_NEAR(news.client.seconds, wanted, wanted / 5 + 0.001);
    EXPECT_NEAR(news.server.seconds, wanted, wanted / 5 + 0.001);
  }
}

TEST_F(TlsWireTest, HandshakesUnderWayAreInFlight) {
  const Both before = now();
  WirePair pair = must(WirePair::open());
  must(pair.client_sends(hello()));
  EXPECT_EQ(now().client.in_flight - before.client.in_flight, 1);
  must(pair.server_sends(server_flight_12()));
  EXPECT_EQ(now().server.in_flight - before.server.in_flight, 1);
  must(pair.client_sends(client_key_exchange() + finished_12()));
  must(pair.server_sends(finished_12()));
  EXPECT_EQ(now().client.in_flight, before.client.in_flight);
  EXPECT_EQ(now().server.in_flight, before.server.in_flight);
}

TEST_F(TlsWireTest, CiphersAndNamesByTheirSwitches) {
  static constexpr char kHandshakes[] = "conn_tls_handshakes_total";
  for (const char* name : {"one.test", "TWO.test", "three.test", "four.test"}) {
    expect(ok("1.2"), ok("1.2"), [&](WirePair& pair) {
      must(pair.client_sends(handshake(client_hello({.server_name = name}))));
      finish_12(pair);
    });
  }
  const Exposition shown = must(agent_->scrape());
  EXPECT_GT(shown.sum(kHandshakes, {{"cipher", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, {"version", "1.2"}}), 0);
  std::set<std::string> hosts;
  for (const ExposedSample& sample : shown.samples())
    if (sample.name == kHandshakes && sample.labels.count("host") != 0) hosts.insert(sample.labels.at("host"));
  EXPECT_EQ(hosts.size(), 4U) << "three names, and one for the rest";
  EXPECT_EQ(hosts.count("other"), 1U);
}

}  // namespace
}  // namespace connscope::testing
