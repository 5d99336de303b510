// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tls_matrix.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/integration/lab.h"
#include "tests/integration/world.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit{20};
// By then a peer that says nothing has been silent for longer than what is called aborted.
constexpr std::chrono::milliseconds kSilence{1300};
// Most of them wait rather than work.
constexpr unsigned kAtOnce = 8;

struct TableLine {
  std::string what;
  std::string stack;
  std::string client_12, server_12;
  std::string client_13, server_13;
  std::string why;

  [[nodiscard]] bool is_about(const std::string& wanted_case, const std::string& wanted_stack) const {
    return what == wanted_case && (stack == "*" || stack == wanted_stack);
  }
};

TableLine parse_line(const std::string& line) {
  TableLine read;
  std::istringstream words(line);
  for (std::string* word :
       {&read.what, &read.stack, &read.client_12, &read.server_12, &read.client_13, &read.server_13, &read.why}) {
    if (!std::getline(words, *word, '\t')) throw std::runtime_error("too few columns: " + line);
  }
  return read;
}

std::vector<TableLine> read_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<TableLine> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind('#', 0) != 0) lines.push_back(parse_line(line));
  }
  return lines;
}

TlsExpected expected_of(const std::vector<TableLine>& table, const TlsMeeting& meeting) {
  for (const TableLine& line : table) {
    if (!line.is_about(meeting.what.name, meeting.stack)) continue;
    if (meeting.version == "1.2") return {line.client_12, line.server_12, line.why};
    return {line.client_13, line.server_13, line.why};
  }
  throw std::runtime_error("the table has no line for " + meeting.what.name + " and " + meeting.stack);
}

/// The server has heard it, and says no more.
void give_up_on_silence(TlsServer& server, ChildProcess& client) {
  if (!server.process.await_output("heard", kLimit)) throw std::runtime_error("the client says nothing");
  std::this_thread::sleep_for(kSilence);
  must(client.send_signal(SIGTERM));
}

}  // namespace

std::string TlsMeeting::process(const std::string& side) const {
  return stack + "_" + what.name + (version == "1.2" ? "_12_" : "_13_") + side;
}

std::vector<TlsMeeting> tls_meetings(const Certificates& certificates, const std::string& expected_file) {
  const std::vector<TableLine> table = read_table(expected_file);
  std::vector<TlsMeeting> meetings;
  for (const std::string& stack : tls_stacks()) {
    for (const char* version : {"1.2", "1.3"}) {
      for (const TlsCase& what : tls_cases(certificates, version)) {
        TlsMeeting meeting{stack, version, what, {}};
        meeting.expected = expected_of(table, meeting);
        meetings.push_back(std::move(meeting));
      }
    }
  }
  return meetings;
}

TlsRooms::TlsRooms(const std::vector<TlsMeeting>& meetings)
    : name_(own_name("connscope-test-tls")), root_(must(TestCgroup::create(name_))) {
  for (const TlsMeeting& meeting : meetings) {
    add(meeting.process("client"));
    add(meeting.process("server"));
  }
}

void TlsRooms::add(const std::string& process) {
  rooms_.push_back(must(TestCgroup::create(name_ + "/" + process)));
  rules_ += "[[process]]\nprefix = \"" + process + "\"\ncgroup = \"/" + name_ + "/" + process + "\"\n";
}

TlsMet meet(const TlsMeeting& meeting, const Certificates& certificates, const TlsRooms& rooms) {
  try {
    TlsServer server = must(TlsServer::start(certificates, meeting.what, rooms.path(meeting.process("server"))));
    ChildProcess client = must(start_tls_client(meeting.stack, meeting.version, server.port, certificates,
                                                rooms.path(meeting.process("client"))));
    if (meeting.what.is_silent) give_up_on_silence(server, client);
    const int client_status = must(client.wait(kLimit));
    if (!ended_well(must(server.process.wait(kLimit)))) return {false, server.process.standard_error()};
    return {ended_well(client_status), {}};
  } catch (const std::exception& trouble) {
    return {false, trouble.what()};
  }
}

std::vector<TlsMet> meet_all(const std::vector<TlsMeeting>& meetings, const Certificates& certificates,
                             const TlsRooms& rooms) {
  std::vector<TlsMet> met(meetings.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < kAtOnce; ++i) {
    workers.emplace_back([&] {
      for (std::size_t at = next++; at < meetings.size(); at = next++) {
        met[at] = meet(meetings[at], certificates, rooms);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return met;
}

}  // namespace connscope::testing
