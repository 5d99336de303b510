// SPDX-License-Identifier: Apache-2.0
//
// Handshakes by Go's crypto/tls, as a client and as a server: every verdict and every other way to fail, and programs
// that were stripped or that the loader moves. Exact counts for both sides.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/stage_test.h"
#include "tests/integration/tls_pairs.h"
#include "tests/support/certificates.h"

namespace connscope::testing {
namespace {

// A collect each 100 ms, so that a program is found while it waits to begin.
constexpr char kConfig[] =
    "[limits]\nprefixes = 2000\n[collect]\ninterval = \"100ms\"\n[probe.go_tls]\nrescan = \"100ms\"\n";

/// The pairs of one test program, in the words of go_actor.
class Pairs {
 public:
  explicit Pairs(const Certificates& certificates) : certificates_(certificates) {
    for (const char* version : {"1.2", "1.3"}) {
      version_ = version;
      add_verdicts();
      add_kinds_of_success();
      add_clients_certificates();
      add_others();
    }
    add_mismatches();
  }
  [[nodiscard]] std::vector<TlsPair> all() const { return made_; }
  /// Those by which another build of the same program shows that it is understood.
  [[nodiscard]] std::vector<TlsPair> few() const {
    std::vector<TlsPair> few;
    for (const TlsPair& pair : made_)
      if (pair.name == "good_1.3" || pair.name == "expired_1.3" || pair.name == "client_missing_1.2")
        few.push_back(pair);
    return few;
  }

 private:
  [[nodiscard]] Words server(const std::string& certificate) const {
    return {"server",
            "-version",
            version_,
            "-certificate",
            certificates_.pem(certificate),
            "-key",
            certificates_.key(certificate)};
  }
  [[nodiscard]] Words client() const {
    return {"client", "PORT", "-version", version_, "-trust", certificates_.pem("ca")};
  }
  void add(const std::string& name, const Words& server, const Words& client, const std::string& server_word,
           const std::string& client_word) {
    made_.push_back({name + "_" + version_, server, client, server_word, client_word});
  }
  void add_verdicts();
  void add_kinds_of_success();
  void add_clients_certificates();
  void add_others();
  void add_mismatches();

  const Certificates& certificates_;
  std::string version_;
  std::vector<TlsPair> made_;
};

/// What the client finds wrong with the server: Go knows no revocations, and does not tell who signed itself.
void Pairs::add_verdicts() {
  const std::vector<std::pair<std::string, std::string>> verdicts = {
      {"expired", "expired"},     {"notyetvalid", "notyetvalid"}, {"selfsigned", "invalidca"},
      {"unknownca", "invalidca"}, {"otherchain", "invalidca"},    {"wronghost", "hostname"}};
  // The client's alert says no more than that the certificate is bad.
  for (const auto& [certificate, reason] : verdicts) add(certificate, server(certificate), client(), "badcert", reason);
  add("expired_own", server("expired"), client() + Words{"-verify", "own"}, "badcert", "expired");
  add("wronghost_own", server("wronghost"), client() + Words{"-verify", "own"}, "badcert", "hostname");
}

void Pairs::add_kinds_of_success() {
  add("good", server("good"), client(), "ok", "ok");
  add("revoked", server("revoked"), client(), "ok", "ok");
  add("unverified", server("selfsigned"), client() + Words{"-verify", "no"}, "ok", "ok");
  add("waved", server("expired"), client() + Words{"-verify", "waved"}, "ok", "ok");
}

/// What the server finds wrong with the client. In TLS 1.3 both have succeeded by then as the wire sees it, and the
/// client reads the alert as it would read data, where no program hangs.
void Pairs::add_clients_certificates() {
  const Words strict = server("good") + Words{"-require", "-trust", certificates_.pem("ca")};
  const auto by = [&](const std::string& name) {
    return client() + Words{"-certificate", certificates_.pem(name), "-key", certificates_.key(name)};
  };
  const std::string late = version_ == "1.3" ? "ok+" : "";
  const std::string refused = version_ == "1.3" ? "ok+other_alert" : "badcert";
  add("client_good", strict, by("client"), "ok", "ok");
  add("client_expired", strict, by("client_expired"), late + "expired", refused);
  add("client_unknownca", strict, by("client_unknownca"), late + "invalidca", refused);
  add("client_missing", strict, client(), late + "client_cert_required", refused);
}

void Pairs::add_others() {
  add("no_common_protocol", server("good") + Words{"-protocol", "one"}, client() + Words{"-protocol", "two"},
      "no_application_protocol", "no_application_protocol");
  add("client_speaks_no_tls", server("good"), client() + Words{"-plain"}, "no handshake, not_tls", "nothing");
  add("server_speaks_no_tls", server("good") + Words{"-plain"}, client(), "", "not_tls");
  add("silent_server", server("good") + Words{"-mute"}, client() + Words{"-patience", "300ms"}, "peer_closed",
      "timeout");
}

void Pairs::add_mismatches() {
  version_ = "1.2";
  const Words older_server = server("good");
  const Words older_client = client();
  add("no_common_cipher", server("good") + Words{"-cipher", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
      client() + Words{"-cipher", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}, "no_shared_cipher",
      "handshake_failure");
  version_ = "1.3";
  add("older_server", older_server, client(), "protocol_version", "protocol_version");
  add("older_client", server("good"), older_client, "protocol_version", "protocol_version");
}

/// Everything that happens, once for all tests.
struct Stage {
  static std::unique_ptr<Stage> play();

  Certificates certificates = must(Certificates::make());
  TlsPairs pairs{"go", {CONNSCOPE_GO_ACTOR, CONNSCOPE_GO_ACTOR}, Pairs(certificates).all()};
  TlsPairs stripped{
      "stripped", {CONNSCOPE_GO_ACTOR "_stripped", CONNSCOPE_GO_ACTOR "_stripped"}, Pairs(certificates).few()};
  TlsPairs moved{"moved", {CONNSCOPE_GO_ACTOR "_pie", CONNSCOPE_GO_ACTOR "_pie"}, Pairs(certificates).few()};
  Exposition libraries;
  double runs = 0;  ///< of programs, in kMeasured handshakes, both ends
};

constexpr int kMeasured = 20;

std::unique_ptr<Stage> Stage::play() {
  auto stage = std::make_unique<Stage>();
  const Actor holder = must(Actor::create("holder", CONNSCOPE_GO_ACTOR));
  const ChildProcess holds = must(holder.start({"server"}));
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig));
  await_library(agent, "go_tls");
  stage->libraries = must(agent.scrape("name[]=connscope_tls_library_info"));
  for (TlsPairs* pairs : {&stage->pairs, &stage->stripped, &stage->moved}) pairs->meet(agent);
  const Words both{"-times", std::to_string(kMeasured)};
  const Certificates& certificates = stage->certificates;
  const TlsPair measured{
      "measured",
      Words{"server", "-certificate", certificates.pem("good"), "-key", certificates.key("good")} + both,
      Words{"client", "PORT", "-trust", certificates.pem("ca")} + both,
      {},
      {}};
  stage->runs = runs_of_pair(agent, "go_tls", CONNSCOPE_GO_ACTOR, measured);
  return stage;
}

using GoTls = StageTest<Stage>;

TEST_F(GoTls, EverySideOfEveryPairHasItsOutcome) { expect_no_differences(stage_->pairs); }

TEST_F(GoTls, AStrippedProgramTellsAsMuch) { expect_no_differences(stage_->stripped); }

TEST_F(GoTls, AProgramThatTheLoaderMovesTellsAsMuch) { expect_no_differences(stage_->moved); }

TEST_F(GoTls, ProgramsRunSeldomInAHandshake) {
  EXPECT_GT(stage_->runs, 2 * kMeasured);
  EXPECT_LE(stage_->runs / (2 * kMeasured), 8);
  std::cout << stage_->runs / (2 * kMeasured) << " runs a handshake and end\n";
}

TEST_F(GoTls, TheProgramIsShownWithItsVersion) {
  EXPECT_EQ(stage_->libraries.sum("connscope_tls_library_info", {{"library", "go"}, {"version", CONNSCOPE_GO_VERSION}}),
            1);
}

}  // namespace
}  // namespace connscope::testing
