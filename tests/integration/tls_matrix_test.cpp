// SPDX-License-Identifier: Apache-2.0
//
// Clients of every stack against servers that make each handshake fail in its own way: one count, one reason, and that
// which tls_matrix.tsv says, for the client's process and for the server's. All of them meet while one agent looks on;
// what it has said is written to a file, of which the README's table is made.
#include "tests/integration/tls_matrix.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "tests/integration/lab.h"
#include "tests/integration/stage_test.h"
#include "tests/integration/tls_outcomes.h"
#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kStartLimit{20};
constexpr std::chrono::seconds kSettleLimit{15};
// What a library has to say is waited for as long as this; a second count would have come by then.
constexpr std::chrono::milliseconds kNothingMore{1500};
constexpr char kTable[] = CONNSCOPE_SOURCE_DIR "/tests/integration/tls_matrix.tsv";
constexpr char kFamilies[] = "name[]=conn_tls_*&name[]=conn_failures_total";

/// A client of each stack whose server never answers: the agent finds a library in the processes that have it.
class Holders {
 public:
  explicit Holders(const Certificates& certificates) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::string port = listen();
    for (const std::string& stack : tls_stacks()) {
      clients_.push_back(must(start_tls_client(stack, "1.3", port, certificates, {})));
      taken_.push_back(take(stack));
    }
  }

 private:
  std::string listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), SOMAXCONN) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("no listener");
    }
    return std::to_string(ntohs(address.sin_port));
  }

  [[nodiscard]] UniqueFd take(const std::string& stack) const {
    pollfd waiting{listener_.get(), POLLIN, 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(kStartLimit).count();
    if (::poll(&waiting, 1, static_cast<int>(limit)) != 1) throw std::runtime_error(stack + " does not connect");
    return UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  UniqueFd listener_;
  std::vector<ChildProcess> clients_;
  std::vector<UniqueFd> taken_;
};

/// Everything that has happened, for all tests of the program.
struct Stage {
  static std::unique_ptr<Stage> play();

  Certificates certificates = must(Certificates::make());
  std::vector<TlsMeeting> meetings = tls_meetings(certificates, kTable);
  std::vector<TlsMet> met;
  TlsOutcomes outcomes;

  [[nodiscard]] std::string word(const TlsMeeting& meeting, const std::string& side) const {
    const auto found = outcomes.find(meeting.process(side));
    return found == outcomes.end() ? TlsOutcome().word() : found->second.word();
  }
  [[nodiscard]] bool is_as_expected() const {
    return std::all_of(meetings.begin(), meetings.end(), [&](const TlsMeeting& meeting) {
      return word(meeting, "client") == meeting.expected.client && word(meeting, "server") == meeting.expected.server;
    });
  }
  void look(const AgentProcess& agent) { outcomes = read_tls_outcomes(must(agent.scrape(kFamilies))); }

  /// The matrix as the agent saw it, in the columns of tls_matrix.tsv's kind: case, stack, version, client, server,
  /// why.
  void write(const std::string& path) const {
    std::ofstream file(path, std::ios::trunc);
    for (const TlsMeeting& meeting : meetings) {
      file << meeting.what.name << '\t' << meeting.stack << '\t' << meeting.version << '\t' << word(meeting, "client")
           << '\t' << word(meeting, "server") << '\t' << meeting.expected.why << '\n';
    }
  }
};

std::unique_ptr<Stage> Stage::play() {
  auto stage = std::make_unique<Stage>();
  must(add_nss_database(stage->certificates));
  const TlsRooms rooms(stage->meetings);
  const Holders holders(stage->certificates);
  const AgentProcess agent =
      must(AgentProcess::start({CONNSCOPE_AGENT}, "[limits]\nprefixes = 4000\nseries = 200000\n" + rooms.rules()));
  stage->met = meet_all(stage->meetings, stage->certificates, rooms);
  eventually(kSettleLimit, [&] {
    stage->look(agent);
    return stage->is_as_expected();
  });
  std::this_thread::sleep_for(kNothingMore);
  stage->look(agent);
  stage->write(CONNSCOPE_TLS_MATRIX_SEEN);
  return stage;
}

class TlsMatrix : public StageTest<Stage>, public ::testing::WithParamInterface<std::string> {};

/// Whether the program itself was served: where the server does its best, and the client finds nothing amiss.
bool serves(const TlsCase& what) {
  return std::find(what.flags.begin(), what.flags.end(), "--play") == what.flags.end();
}

std::string told(const TlsMeeting& meeting, const std::string& what) {
  return meeting.what.name + ", TLS " + meeting.version + ": " + what;
}

/// What is not as it should be in one meeting, each as a text.
std::vector<std::string> differences(const Stage& stage, std::size_t at) {
  const TlsMeeting& meeting = stage.meetings[at];
  const TlsMet& met = stage.met[at];
  std::vector<std::string> found;
  const auto compare = [&](const std::string& side, const std::string& expected) {
    const std::string seen = stage.word(meeting, side);
    if (seen != expected) found.push_back(told(meeting, "the " + side + " has " + seen + " and not " + expected));
  };
  compare("client", meeting.expected.client);
  compare("server", meeting.expected.server);
  if (!met.trouble.empty()) found.push_back(told(meeting, met.trouble));
  const bool may_be_content = meeting.expected.client == "ok" || !serves(meeting.what);
  if (met.client_is_content && !may_be_content) found.push_back(told(meeting, "the client itself is content"));
  if (!met.client_is_content && meeting.what.name == "ok") found.push_back(told(meeting, "the client is not content"));
  return found;
}

TEST_P(TlsMatrix, EachFailureHasOneReason) {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < stage_->meetings.size(); ++at) {
    if (stage_->meetings[at].stack != GetParam()) continue;
    for (const std::string& difference : differences(*stage_, at)) ADD_FAILURE() << difference;
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

INSTANTIATE_TEST_SUITE_P(Stacks, TlsMatrix, ::testing::ValuesIn(tls_stacks()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace connscope::testing
