// SPDX-License-Identifier: Apache-2.0
//
// The matrix of TLS stacks and failures: for each stack, version and case one client that meets one server, both in
// cgroups of their own, by which the agent tells them apart.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/tls_peers/tls_peers.h"

namespace connscope::testing {

/// What tls_matrix.tsv says of one meeting.
struct TlsExpected {
  std::string client;
  std::string server;
  std::string why;  // nothing better can be told; "-" where it can
};

struct TlsMeeting {
  std::string stack;
  std::string version;
  TlsCase what;
  TlsExpected expected;

  /// Of the process in the metrics; `side` is "client" or "server".
  [[nodiscard]] std::string process(const std::string& side) const;
};

/// How a meeting went, as the programs themselves say.
struct TlsMet {
  bool client_is_content = false;
  std::string trouble;  // with the test's own means; empty when all went well
};

/// All meetings of the stacks that this build has.
std::vector<TlsMeeting> tls_meetings(const Certificates& certificates, const std::string& expected_file);

/// Where a process with that label runs.
class TlsRooms {
 public:
  explicit TlsRooms(const std::vector<TlsMeeting>& meetings);

  [[nodiscard]] std::string path(const std::string& process) const { return root_.path() + "/" + process; }
  /// Rules that call processes by their room.
  [[nodiscard]] const std::string& rules() const { return rules_; }

 private:
  void add(const std::string& process);

  std::string name_;
  TestCgroup root_;
  std::deque<TestCgroup> rooms_;
  std::string rules_;
};

TlsMet meet(const TlsMeeting& meeting, const Certificates& certificates, const TlsRooms& rooms);
/// All of them, several at a time; in the same order.
std::vector<TlsMet> meet_all(const std::vector<TlsMeeting>& meetings, const Certificates& certificates,
                             const TlsRooms& rooms);

}  // namespace connscope::testing
