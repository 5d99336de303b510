// SPDX-License-Identifier: Apache-2.0
//
// Handshakes of NSS: two clients, one that shakes hands within its reads and writes (tstclnt) and one that asks for the
// handshake (curl's library), against servers of every kind of certificate; and a server that judges its clients.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/integration/stage_test.h"
#include "tests/integration/tls_pairs.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_peers/tls_peers.h"

namespace connscope::testing {
namespace {

constexpr char kConfig[] = "[limits]\nprefixes = 2000\n[probe.nss]\nrescan = \"100ms\"\n";
constexpr char kTstclnt[] = "/usr/bin/tstclnt";

struct Verdict {
  std::string certificate;
  std::string in_12;
  std::string in_13;
};

/// What NSS does not say itself, its alert says, which TLS 1.3 hides.
const std::vector<Verdict>& verdicts() {
  static const std::vector<Verdict> all = {{"good", "ok", "ok"},
                                           {"expired", "expired", "expired"},
                                           {"notyetvalid", "notyetvalid", "notyetvalid"},
                                           {"selfsigned", "badcert", "badcert"},
                                           {"unknownca", "invalidca", "invalidca"},
                                           {"otherchain", "invalidca", "badcert"},
                                           {"wronghost", "hostname", "hostname"},
                                           {"revoked", "revoked", "revoked"}};
  return all;
}

/// What it sends is a file that is there: a client that sends nothing refuses its server by its close.
Words tstclnt(const Certificates& certificates, const std::string& version, const Words& more = {}) {
  Words words = {"-O",
                 "-h",
                 "127.0.0.1",
                 "-a",
                 "localhost",
                 "-p",
                 "PORT",
                 "-d",
                 "sql:" + certificates.folder() + "/nss",
                 "-V",
                 "tls" + version + ":tls" + version,
                 "-A",
                 certificates.pem("ca")};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words curl(const Certificates& certificates, const std::string& version) {
  return {"PORT", version, certificates.folder(), "1"};
}

using ClientWords = std::function<Words(const std::string& version)>;

std::vector<TlsPair> pairs_of(const Certificates& certificates, const ClientWords& client) {
  std::vector<TlsPair> pairs;
  for (const std::string version : {"1.2", "1.3"}) {
    for (const Verdict& verdict : verdicts()) {
      pairs.push_back({verdict.certificate + " " + version,
                       {"--certificate", certificates.folder() + "/" + verdict.certificate, "--times", "1"},
                       client(version),
                       {},
                       version == "1.2" ? verdict.in_12 : verdict.in_13});
    }
  }
  return pairs;
}

/// tstclnt, told to let every certificate pass, finds the same faults, and they are none.
std::vector<TlsPair> tolerant_pairs(const Certificates& certificates) {
  auto pairs = pairs_of(certificates, [&](const auto& version) { return tstclnt(certificates, version, {"-o"}); });
  for (TlsPair& pair : pairs) {
    pair.name += " tolerated";
    pair.client_word = "ok";
  }
  return pairs;
}

/// Everything that happens, once for all tests.
struct Stage {
  static std::unique_ptr<Stage> play();

  Certificates certificates = must(Certificates::make());
  TlsPairs implicit{"implicit", {CONNSCOPE_TLS_PEER, kTstclnt}, pairs_of(certificates, [&](const auto& version) {
                      return tstclnt(certificates, version);
                    })};
  TlsPairs tolerant{"tolerant", {CONNSCOPE_TLS_PEER, kTstclnt}, tolerant_pairs(certificates)};
  std::unique_ptr<TlsPairs> explicitly;  // where there is such a library
  double runs = 0;                       // of programs, in one handshake of a client
  TlsOutcome judge_12;
  TlsOutcome judge_13;
};

/// A port of 127.0.0.1 that nobody listens on just now, for a server that has to be told one.
std::string free_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const UniqueFd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(taken.get(), generic, size) != 0 || ::getsockname(taken.get(), generic, &size) != 0)
    throw std::runtime_error("no free port");
  return std::to_string(ntohs(address.sin_port));
}

/// selfserv, which wants a certificate of every client, meets those of each kind; what it has been told of then.
TlsOutcome judge_clients(const AgentProcess& agent, const Certificates& certificates, const std::string& version) {
  const Actor server = must(Actor::create("judge" + version, "/usr/bin/selfserv"));
  const Actor client = must(Actor::create("judged" + version, CONNSCOPE_GNUTLS_ACTOR));
  const std::string port = free_port();
  const std::string versions = "tls" + version + ":tls" + version;
  ChildProcess judge = must(server.start(
      {"-d", "sql:" + certificates.folder() + "/nss", "-n", "good", "-p", port, "-r", "-r", "-v", "-V", versions}));
  judge.await_output("About to call accept", std::chrono::seconds(10));
  for (const std::string name : {"client", "client_expired", "client_revoked"})
    must(must(client.start({"client", port, "--trust", certificates.pem("ca"), "--times", std::to_string(kPairRuns),
                            "--certificate", certificates.pem(name), "--key", certificates.key(name)}))
             .wait(std::chrono::seconds(20)));
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  return read_tls_outcomes(must(agent.scrape()))[server.name()];
}

bool has_curl() {
  const auto stacks = tls_stacks();
  return std::find(stacks.begin(), stacks.end(), "curl_nss") != stacks.end();
}

void meet_all(Stage& stage, const AgentProcess& agent) {
  stage.implicit.meet(agent);
  stage.tolerant.meet(agent);
  if (stage.explicitly) stage.explicitly->meet(agent);
  stage.judge_12 = judge_clients(agent, stage.certificates, "1.2");
  stage.judge_13 = judge_clients(agent, stage.certificates, "1.3");
  const Actor server = must(Actor::create("measured_s", CONNSCOPE_TLS_PEER));
  const Actor client = must(Actor::create("measured_c", kTstclnt));
  const auto pairs =
      pairs_of(stage.certificates, [&](const auto& version) { return tstclnt(stage.certificates, version); });
  stage.runs = runs_during(agent, "nss", [&] { run_pair(server, client, pairs.front()); });
}

std::unique_ptr<Stage> Stage::play() {
  auto stage = std::make_unique<Stage>();
  must(add_nss_database(stage->certificates));
  if (has_curl()) {
    const Certificates& certificates = stage->certificates;
    stage->explicitly = std::make_unique<TlsPairs>(
        "explicit", TlsPairPrograms{CONNSCOPE_TLS_PEER, CONNSCOPE_CURL_NSS},
        pairs_of(certificates, [&](const auto& version) { return curl(certificates, version); }));
  }
  // The test itself has the library mapped, so that the agent finds it before the clients come.
  if (::dlopen("libssl3.so", RTLD_NOW) == nullptr) throw std::runtime_error(::dlerror());
  const AgentProcess agent = must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig));
  await_library(agent, "nss");
  meet_all(*stage, agent);
  return stage;
}

using Nss = StageTest<Stage>;

TEST_F(Nss, ClientThatShakesHandsWithinItsReads) { expect_no_differences(stage_->implicit); }

TEST_F(Nss, ClientThatLetsEveryCertificatePass) { expect_no_differences(stage_->tolerant); }

TEST_F(Nss, ClientThatAsksForTheHandshake) {
  if (!stage_->explicitly) GTEST_SKIP() << "this distribution has no libcurl with NSS any more";
  expect_no_differences(*stage_->explicitly);
}

// The database trusts the authority for servers alone, which NSS tells by its alert only.
TEST_F(Nss, ServerThatJudgesItsClients) {
  using Failures = std::map<std::string, double>;
  EXPECT_EQ(stage_->judge_12.failed, 3 * kPairRuns);
  EXPECT_EQ(stage_->judge_12.ok, 0);
  EXPECT_EQ(stage_->judge_12.failures,
            (Failures{{"expired", kPairRuns}, {"revoked", kPairRuns}, {"invalidca", kPairRuns}}));
  // In TLS 1.3 all is well until the client has had its say.
  EXPECT_EQ(stage_->judge_13.failed, 0);
  EXPECT_EQ(stage_->judge_13.ok, 3 * kPairRuns);
  EXPECT_EQ(stage_->judge_13.failures,
            (Failures{{"expired", kPairRuns}, {"revoked", kPairRuns}, {"badcert", kPairRuns}}));
}

TEST_F(Nss, ProgramsRunSeldomInAHandshake) {
  EXPECT_GT(stage_->runs, 2);
  EXPECT_LE(stage_->runs, 8);
}

}  // namespace
}  // namespace connscope::testing
