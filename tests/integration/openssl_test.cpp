// SPDX-License-Identifier: Apache-2.0
//
// Handshakes by OpenSSL, as a client and as a server, in every way that a program may call the library: every verdict,
// and every other way to fail. Exact counts for both sides.
#include <memory>

#include "tests/integration/stage_test.h"
#include "tests/integration/tls_pairs.h"
#include "tests/support/certificates.h"

namespace connscope::testing {
namespace {

constexpr char kConfig[] = "[limits]\nprefixes = 2000\n[probe.openssl]\nrescan = \"100ms\"\n";

/// The pairs of this test, in the words of openssl_actor.c.
class Pairs {
 public:
  explicit Pairs(const Certificates& certificates) : certificates_(certificates) {
    for (const char* version : {"1.2", "1.3"}) {
      version_ = version;
      add_verdicts();
      add_ways_to_call();
      add_overrides();
      add_clients_certificates();
      add_others();
    }
    add_mismatches();
  }

  std::vector<TlsPair> made;

 private:
  [[nodiscard]] Words server(const std::string& certificate) const {
    return {"server",
            "--max",
            version_,
            "--certificate",
            certificates_.pem(certificate),
            "--key",
            certificates_.key(certificate)};
  }
  [[nodiscard]] Words client() const {
    return {"client", "PORT", "--max", version_, "--trust", certificates_.pem("ca")};
  }
  void add(const std::string& name, const Words& server, const Words& client, const std::string& server_word,
           const std::string& client_word) {
    made.push_back({name + "_" + version_, server, client, server_word, client_word});
  }
  void add_verdicts();
  void add_ways_to_call();
  void add_overrides();
  void add_clients_certificates();
  void add_others();
  void add_mismatches();

  const Certificates& certificates_;
  std::string version_;
};

/// What the client finds wrong with the server, and what the server is told of it by the alert.
void Pairs::add_verdicts() {
  add("expired", server("expired"), client(), "expired", "expired");
  add("notyetvalid", server("notyetvalid"), client(), "badcert", "notyetvalid");
  add("selfsigned", server("selfsigned"), client(), "invalidca", "selfsigned");
  add("unknownca", server("unknownca"), client(), "invalidca", "invalidca");
  add("otherchain", server("otherchain"), client(), "invalidca", "selfsigned");
  add("wronghost", server("wronghost"), client(), "badcert", "hostname");
  add("revoked", server("revoked"), client() + Words{"--revoked", certificates_.pem("ca_and_crl")}, "revoked",
      "revoked");
}

void Pairs::add_ways_to_call() {
  for (const std::string by : {"handshake", "read", "non-blocking", "memory"}) {
    const Words so{"--by", by};
    add("good_" + by, server("good") + so, client() + so, "ok", "ok");
    add("expired_" + by, server("expired") + so, client() + so, "expired", "expired");
  }
  const Words kept{"--clear", "--times", "2"};
  const std::string twice_ok = "ok 2, failed 0, in flight 0";
  const std::string twice_expired = "ok 0, failed 2, in flight 0, expired 2";
  add("one_object_good", server("good") + kept, client() + kept, twice_ok, twice_ok);
  add("one_object_expired", server("expired") + kept, client() + kept, twice_expired, twice_expired);
}

/// A verdict that the program does not follow, or not at once.
void Pairs::add_overrides() {
  add("unverified", server("selfsigned"), client() + Words{"--verify", "none"}, "ok", "ok");
  add("waved", server("expired"), client() + Words{"--verify", "waved"}, "ok", "ok");
  add("refused_after", server("expired"), client() + Words{"--verify", "after"}, "ok", "ok+expired");
  add("content_after", server("good"), client() + Words{"--verify", "after"}, "ok", "ok");
}

/// What the server finds wrong with the client. In TLS 1.3 both have succeeded by then, as far as the wire shows.
void Pairs::add_clients_certificates() {
  const Words strict = server("good") + Words{"--require", "--revoked", certificates_.pem("ca_and_crl")};
  const auto by = [&](const std::string& name) {
    return client() + Words{"--certificate", certificates_.pem(name), "--key", certificates_.key(name)};
  };
  const bool is_late = version_ == "1.3";
  const std::string late = is_late ? "ok+" : "";
  add("client_good", strict, by("client"), "ok", "ok");
  add("client_expired", strict, by("client_expired"), late + "expired", late + "expired");
  add("client_selfsigned", strict, by("client_selfsigned"), late + "selfsigned", late + "invalidca");
  add("client_revoked", strict, by("client_revoked"), late + "revoked", late + "revoked");
  // TLS 1.2 has no alert of its own for it.
  add("client_missing", strict, client(), late + "client_cert_required",
      is_late ? "ok+client_cert_required" : "handshake_failure");
}

void Pairs::add_others() {
  add("no_common_protocol", server("good") + Words{"--protocol", "one"}, client() + Words{"--protocol", "two"},
      "no_application_protocol", "no_application_protocol");
  add("client_speaks_no_tls", server("good"), {"client", "PORT", "--plain"}, "no handshake, not_tls", "nothing");
  add("client_asks_the_web", server("good"), {"client", "PORT", "--web"}, "no handshake, not_tls", "nothing");
  add("server_speaks_no_tls", {"server", "--plain"}, client(), "nothing", "not_tls");
  add("server_is_silent", {"server", "--mute"}, client() + Words{"--give-up"}, "", "aborted");
}

void Pairs::add_mismatches() {
  version_ = "1.3";
  add("newer_server", server("good") + Words{"--min", "1.3"}, client() + Words{"--max", "1.2"}, "protocol_version",
      "protocol_version");
  add("older_server", server("good") + Words{"--max", "1.2"}, client() + Words{"--min", "1.3"}, "protocol_version",
      "protocol_version");
  version_ = "1.2";
  add("no_common_cipher", server("good") + Words{"--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"},
      client() + Words{"--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"}, "no_shared_cipher", "handshake_failure");
}

/// Everything that happens, once for all tests.
struct Stage {
  static std::unique_ptr<Stage> play();

  Certificates certificates = must(Certificates::make());
  TlsPairs pairs{"openssl", {CONNSCOPE_OPENSSL_ACTOR, CONNSCOPE_OPENSSL_ACTOR}, Pairs(certificates).made};
  double runs = 0;  ///< of programs, for kMeasured connections and both their ends
  double runs_when_not_blocking = 0;
  double runs_with_more_records = 0;
};

constexpr int kMeasured = 20;

double measure(const AgentProcess& agent, const Certificates& certificates, const Words& both) {
  const Words common = both + Words{"--times", std::to_string(kMeasured)};
  const TlsPair pair{
      "measured",
      Words{"server", "--certificate", certificates.pem("good"), "--key", certificates.key("good")} + common,
      Words{"client", "PORT", "--trust", certificates.pem("ca")} + common,
      {},
      {}};
  return runs_of_pair(agent, "openssl", CONNSCOPE_OPENSSL_ACTOR, pair);
}

std::unique_ptr<Stage> Stage::play() {
  auto stage = std::make_unique<Stage>();
  const Actor holder = must(Actor::create("holder", CONNSCOPE_OPENSSL_ACTOR));
  const ChildProcess holds = must(holder.start({"server"}));
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig));
  await_library(agent, "openssl");
  stage->pairs.meet(agent);
  stage->runs = measure(agent, stage->certificates, {});
  stage->runs_when_not_blocking = measure(agent, stage->certificates, {"--by", "non-blocking"});
  stage->runs_with_more_records = measure(agent, stage->certificates, {"--records", "50"});
  return stage;
}

using Openssl = StageTest<Stage>;

TEST_F(Openssl, EverySideOfEveryPairHasItsOutcome) { expect_no_differences(stage_->pairs); }

TEST_F(Openssl, AHandshakeHasFewRunsOfPrograms) {
  // Of a client: SSL_clear, before 3.2 twice, the role, SSL_do_handshake, the verdict, SSL_free; a server has no
  // verdict.
  EXPECT_GE(stage_->runs, (5 + 4) * kMeasured);
  EXPECT_LE(stage_->runs, (6 + 5) * kMeasured);
  // At most 8 a side.
  EXPECT_GT(stage_->runs_when_not_blocking, stage_->runs);
  EXPECT_LE(stage_->runs_when_not_blocking, (8 + 8) * kMeasured);
}

TEST_F(Openssl, AReadOrAWriteHasNone) { EXPECT_EQ(stage_->runs_with_more_records, stage_->runs); }

}  // namespace
}  // namespace connscope::testing
