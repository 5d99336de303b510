// SPDX-License-Identifier: Apache-2.0
//
// How copies of a TLS library are found, and what is said of processes whose library nobody knows. The agent looks at
// all processes once, when it starts: what is found afterwards is found because a program was executed.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/integration/stage_test.h"
#include "tests/integration/tls_pairs.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace connscope::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kConfig[] = "[probe.openssl]\nrescan = \"1h\"\n";
constexpr char kUnknown[] = "connscope_tls_unknown_library_processes_total";
constexpr std::chrono::seconds kSoon{3};
constexpr std::chrono::seconds kSettleLimit{10};

/// A process that serves one client.
struct Server {
  explicit Server(ChildProcess started) : process(std::move(started)), port(port_of(process)) {}
  ChildProcess process;
  std::string port;
};

class TlsLibraries : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!missing_for_bpf().empty()) return;
    certificates_ = std::make_unique<Certificates>(must(Certificates::make()));
    // The system's own copy is one that is known from the start.
    const Actor holder = must(Actor::create("holder", CONNSCOPE_OPENSSL_ACTOR));
    holder_ = std::make_unique<ChildProcess>(must(holder.start({"server"})));
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kConfig)));
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

  static Words server(const std::string& certificate) {
    return {"server", "--certificate", certificates_->pem(certificate), "--key", certificates_->key(certificate)};
  }
  static Words client(const Server& server) { return {"client", server.port, "--trust", certificates_->pem("ca")}; }
  /// Lets a client of that program meet the server.
  static void meet(const Server& server, const Actor& program) {
    ChildProcess connecting = must(program.start(client(server)));
    connecting.close_input();
    must(connecting.wait(kSettleLimit));
  }
  static double copies() {
    return must(agent_->scrape("name[]=connscope_bpf_map_*"))
        .sum("connscope_bpf_map_entries", {{"map", "openssl/libraries"}});
  }
  static bool await_copies(double count) {
    return eventually(kSoon, [&] { return copies() >= count; });
  }
  /// Handshakes of that process of which that library has told; "unknown": none has.
  static double handshakes(const Actor& program, const std::string& library) {
    return must(agent_->scrape()).sum("conn_tls_handshakes_total", {{"process", program.name()}, {"library", library}});
  }
  static bool await_handshakes(const Actor& program, const std::string& library, double count) {
    return eventually(kSettleLimit, [&] { return handshakes(program, library) == count; });
  }

  static inline std::unique_ptr<Certificates> certificates_;
  static inline std::unique_ptr<ChildProcess> holder_;
  static inline std::unique_ptr<AgentProcess> agent_;
};

TEST_F(TlsLibraries, AProgramsOwnCopyIsHeardSoonAfterItsExec) {
  const TempDir folder = must(TempDir::create());
  fs::copy_file(fs::canonical(CONNSCOPE_LIBSSL), folder.path() + "/libssl.so.3");
  const Actor program = must(Actor::create("own_copy", CONNSCOPE_OPENSSL_ACTOR));
  const Actor peer = must(Actor::create("peer_of_own_copy", CONNSCOPE_OPENSSL_ACTOR));
  const double before = copies();
  const Server server(must(ChildProcess::spawn(
      {Words{"env", "LD_LIBRARY_PATH=" + folder.path(), program.path()} + TlsLibraries::server("good"), -1, {}})));
  ASSERT_TRUE(await_copies(before + 1)) << agent_->log();
  meet(server, peer);
  EXPECT_TRUE(await_handshakes(program, "openssl", 1));
}

TEST_F(TlsLibraries, OneInTheExecutableIsHeardByItsSymbols) {
  const Actor serves = must(Actor::create("static_server", CONNSCOPE_OPENSSL_STATIC_ACTOR));
  const Actor asks = must(Actor::create("static_client", CONNSCOPE_OPENSSL_STATIC_ACTOR));
  const double before = copies();
  const Server server(must(serves.start(TlsLibraries::server("expired"))));
  ASSERT_TRUE(await_copies(before + 1)) << agent_->log();  // both are names of one file
  meet(server, asks);
  EXPECT_TRUE(await_handshakes(asks, "openssl", 1));
  EXPECT_TRUE(await_handshakes(serves, "openssl", 1));
  const TlsOutcomes outcomes = read_tls_outcomes(must(agent_->scrape()));
  EXPECT_EQ(outcomes.at(asks.name()).word(), "expired");
  EXPECT_EQ(outcomes.at(serves.name()).word(), "expired");
}

TEST_F(TlsLibraries, AProcessWhoseLibraryNobodyKnowsCountsOnce) {
  const Actor asks = must(Actor::create("stripped_client", CONNSCOPE_OPENSSL_STRIPPED_ACTOR));
  const Actor serves = must(Actor::create("known_server", CONNSCOPE_OPENSSL_ACTOR));
  const Server server(must(serves.start(TlsLibraries::server("good") + Words{"--times", "2"})));
  ChildProcess connecting = must(asks.start(client(server) + Words{"--times", "2"}));
  connecting.close_input();
  must(connecting.wait(kSettleLimit));
  ASSERT_TRUE(await_handshakes(asks, "unknown", 2));
  const Exposition shown = must(agent_->scrape());
  EXPECT_EQ(shown.sum(kUnknown, {{"process", asks.name()}}), 1);
  EXPECT_EQ(shown.sum(kUnknown, {{"process", serves.name()}}), 0);
}

}  // namespace
}  // namespace connscope::testing
