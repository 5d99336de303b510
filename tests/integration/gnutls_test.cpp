// SPDX-License-Identifier: Apache-2.0
//
// Handshakes by GnuTLS, as a client and as a server: every verdict, where and whenever it is asked for, and every other
// way to fail. Exact counts for both sides.
#include <map>
#include <memory>

#include "tests/integration/stage_test.h"
#include "tests/integration/tls_pairs.h"
#include "tests/support/certificates.h"

namespace connscope::testing {
namespace {

constexpr char kConfig[] = "[limits]\nprefixes = 2000\n[probe.gnutls]\nrescan = \"100ms\"\n";
constexpr char kOnly12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr char kOnly13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

/// The pairs of one test program, in the words of gnutls_actor.c.
class Pairs {
 public:
  explicit Pairs(const Certificates& certificates) : certificates_(certificates) {
    for (const char* priority : {kOnly12, kOnly13}) {
      priority_ = priority;
      version_ = priority == kOnly12 ? "_tls12" : "_tls13";
      add_verdicts();
      add_kinds_of_success();
      add_clients_certificates();
      add_others();
    }
    add_mismatches();
  }

  std::vector<TlsPair> made;

 private:
  [[nodiscard]] Words server(const std::string& certificate) const {
    return {"server",
            "--priority",
            priority_,
            "--certificate",
            certificates_.pem(certificate),
            "--key",
            certificates_.key(certificate)};
  }
  [[nodiscard]] Words client() const {
    return {"client", "PORT", "--priority", priority_, "--trust", certificates_.pem("ca")};
  }
  void add(const std::string& name, const Words& server, const Words& client, const std::string& server_word,
           const std::string& client_word) {
    made.push_back({name + version_, server, client, server_word, client_word});
  }
  void add_verdicts();
  void add_kinds_of_success();
  void add_clients_certificates();
  void add_others();
  void add_mismatches();

  const Certificates& certificates_;
  std::string priority_;
  std::string version_;
};

/// What the client finds wrong with the server, in the handshake and after it.
void Pairs::add_verdicts() {
  const std::vector<std::pair<std::string, std::string>> verdicts = {
      {"expired", "expired"},     {"notyetvalid", "notyetvalid"}, {"selfsigned", "invalidca"},
      {"unknownca", "invalidca"}, {"otherchain", "invalidca"},    {"wronghost", "hostname"},
      {"revoked", "revoked"}};
  const Words knows = client() + Words{"--revoked", certificates_.pem("crl")};
  for (const auto& [certificate, reason] : verdicts) {
    // The client says no more than that the certificate is bad.
    add(certificate + "_in", server(certificate), knows + Words{"--verify", "in"}, "badcert", reason);
    add(certificate + "_callback", server(certificate), knows + Words{"--verify", "callback"}, "badcert", reason);
    add(certificate + "_waved", server(certificate), knows + Words{"--verify", "waved"}, "ok", "ok");
    add(certificate + "_after", server(certificate), knows + Words{"--verify", "after"}, "ok", "ok+" + reason);
    add(certificate + "_ignored", server(certificate), knows + Words{"--verify", "ignored"}, "ok", "ok");
  }
}

void Pairs::add_kinds_of_success() {
  for (const char* how : {"in", "callback", "waved", "after", "ignored"})
    add(std::string("good_") + how, server("good"), client() + Words{"--verify", how}, "ok", "ok");
  add("unverified", server("selfsigned"), client(), "ok", "ok");
  add("non_blocking", server("good") + Words{"--non-blocking"}, client() + Words{"--non-blocking", "--verify", "in"},
      "ok", "ok");
  add("non_blocking_expired", server("expired") + Words{"--non-blocking"},
      client() + Words{"--non-blocking", "--verify", "in"}, "badcert", "expired");
}

/// What the server finds wrong with the client. In TLS 1.3 the client has succeeded by then.
void Pairs::add_clients_certificates() {
  const Words strict =
      server("good") +
      Words{"--require", "--verify", "in", "--trust", certificates_.pem("ca"), "--revoked", certificates_.pem("crl")};
  const auto by = [&](const std::string& name) {
    return client() + Words{"--certificate", certificates_.pem(name), "--key", certificates_.key(name)};
  };
  const bool is_late = version_ == "_tls13";
  const std::string late = is_late ? "ok+" : "";
  add("client_good", strict, by("client"), "ok", "ok");
  add("client_expired", strict, by("client_expired"), late + "expired", late + "badcert");
  add("client_revoked", strict, by("client_revoked"), late + "revoked", late + "badcert");
  // GnuTLS says so in an alert of its own only in TLS 1.3.
  add("client_missing", strict, client(), late + "client_cert_required",
      is_late ? "ok+client_cert_required" : "other_alert");
}

void Pairs::add_others() {
  const Words silent{"--silent"};
  add("refusal_without_alert", server("expired"), client() + Words{"--verify", "in"} + silent, "peer_closed",
      "expired");
  add("no_common_protocol", server("good") + Words{"--protocol", "one"}, client() + Words{"--protocol", "two"},
      "no_application_protocol", "no_application_protocol");
  add("client_speaks_no_tls", server("good"), {"client", "PORT", "--plain"}, "no handshake, not_tls", "nothing");
  add("server_speaks_no_tls", {"server", "--plain"}, client(), "nothing", "not_tls");
  add("no_certificate", {"server", "--priority", priority_}, client(), "handshake_failure", "handshake_failure");
  add("no_certificate_without_alert", Words{"server", "--priority", priority_} + silent, client(), "handshake_failure",
      "peer_closed");
}

/// Nobody can tell these apart: see gnutls.h.
void Pairs::add_mismatches() {
  const auto between = [&](const std::string& name, const std::string& ours, const std::string& theirs,
                           const std::string& word) {
    version_ = "";
    priority_ = ours;
    const Words listening = server("good");
    priority_ = theirs;
    add(name, listening, client(), word, word);
  };
  between("newer_server", kOnly13, kOnly12, "handshake_failure");
  between("older_server", kOnly12, kOnly13, "handshake_failure");
  between("much_older_client", kOnly12, "NORMAL:-VERS-ALL:+VERS-TLS1.1", "protocol_version");
  between("no_common_cipher", "NORMAL:-CIPHER-ALL:+AES-256-GCM", "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305",
          "handshake_failure");
  between("no_common_group", "NORMAL:-GROUP-ALL:+GROUP-X25519", "NORMAL:-GROUP-ALL:+GROUP-SECP256R1",
          "handshake_failure");
}

/// wget looks at the certificate, and at the name in it, when the handshake is over.
std::vector<TlsPair> pairs_of_wget(const Certificates& certificates) {
  std::vector<TlsPair> pairs;
  const Words common{
      "-q", "-O", "/dev/null", "--tries=1", "--ca-certificate=" + certificates.pem("ca"), "https://localhost:PORT/"};
  for (const auto& [certificate, word] : std::map<std::string, std::string>{
           {"good", "ok"}, {"expired", "ok+expired"}, {"unknownca", "ok+invalidca"}, {"wronghost", "ok+hostname"}}) {
    const Words server{"--certificate", certificates.folder() + "/" + certificate, "--times", "1"};
    pairs.push_back({certificate, server, common, {}, word});
    pairs.push_back({certificate + " unchecked", server, common + Words{"--no-check-certificate"}, {}, "ok"});
  }
  return pairs;
}

/// Everything that happens, once for all tests.
struct Stage {
  static std::unique_ptr<Stage> play();

  Certificates certificates = must(Certificates::make());
  TlsPairs pairs{"gnutls", {CONNSCOPE_GNUTLS_ACTOR, CONNSCOPE_GNUTLS_ACTOR}, Pairs(certificates).made};
  TlsPairs wget{"wget", {CONNSCOPE_TLS_PEER, "/usr/bin/wget"}, pairs_of_wget(certificates)};
  // Of kMeasured handshakes, both ends: how often programs ran.
  double runs = 0;
  double runs_when_not_blocking = 0;
  double runs_with_more_records = 0;
};

constexpr int kMeasured = 20;

double measure(const AgentProcess& agent, const Certificates& certificates, const Words& both, const Words& talk) {
  const Words common = both + talk + Words{"--times", std::to_string(kMeasured)};
  const TlsPair pair{
      "measured",
      Words{"server", "--certificate", certificates.pem("good"), "--key", certificates.key("good")} + common,
      Words{"client", "PORT", "--trust", certificates.pem("ca"), "--verify", "in"} + common,
      {},
      {}};
  return runs_of_pair(agent, "gnutls", CONNSCOPE_GNUTLS_ACTOR, pair);
}

std::unique_ptr<Stage> Stage::play() {
  auto stage = std::make_unique<Stage>();
  const Actor holder = must(Actor::create("holder", CONNSCOPE_GNUTLS_ACTOR));
  const ChildProcess holds = must(holder.start({"server"}));
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig));
  await_library(agent, "gnutls");
  stage->pairs.meet(agent);
  stage->wget.meet(agent);
  stage->runs = measure(agent, stage->certificates, {}, {});
  stage->runs_when_not_blocking = measure(agent, stage->certificates, {"--non-blocking"}, {});
  stage->runs_with_more_records = measure(agent, stage->certificates, {}, {"--records", "50"});
  return stage;
}

using Gnutls = StageTest<Stage>;

TEST_F(Gnutls, EverySideOfEveryPairHasItsOutcome) { expect_no_differences(stage_->pairs); }

TEST_F(Gnutls, ProgramThatJudgesWhenTheHandshakeIsOver) { expect_no_differences(stage_->wget); }

TEST_F(Gnutls, ProgramsRunSeldomInAHandshakeAndNeverAfterIt) {
  for (const double runs : {stage_->runs, stage_->runs_when_not_blocking}) {
    EXPECT_GT(runs, 2 * kMeasured);
    EXPECT_LE(runs / (2 * kMeasured), 8);
  }
  EXPECT_EQ(stage_->runs_with_more_records, stage_->runs);
  RecordProperty("runs_a_handshake", std::to_string(stage_->runs / (2 * kMeasured)));
  RecordProperty("runs_a_handshake_not_blocking", std::to_string(stage_->runs_when_not_blocking / (2 * kMeasured)));
}

}  // namespace
}  // namespace connscope::testing
