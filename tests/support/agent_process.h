// SPDX-License-Identifier: Apache-2.0
//
// The agent under test, as its own process with its own config file and a free port. Ends with the test. One thread at
// a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "tests/support/exposition.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace connscope::testing {

/// Config of an agent without TLS and attempts: it starts in half the time, for tests that start many.
inline constexpr char kWithoutTls[] =
    "[probe.tls]\nenabled = false\n[probe.openssl]\nenabled = false\n[probe.gnutls]\nenabled = false\n"
    "[probe.nss]\nenabled = false\n[probe.go_tls]\nenabled = false\n[probe.attempt]\nenabled = false\n";

class AgentProcess {
 public:
  /// Starts `command` (the binary, or a program that becomes it) with that config, and returns when the agent says that
  /// it is ready.
  static Result<AgentProcess> start(const std::vector<std::string>& command, const std::string& config);

  /// The port of the address that the agent logged.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Status and body of GET `path`.
  [[nodiscard]] Result<std::pair<int, std::string>> get(const std::string& path) const;
  /// What /metrics shows now; `query` as "prefix=ui&name[]=x", or empty.
  [[nodiscard]] Result<Exposition> scrape(const std::string& query = {}) const;
  /// Writes the config file anew and sends SIGHUP.
  Status reload(const std::string& config);
  /// Sends SIGTERM; the status as waitpid() gives it.
  Result<int> stop();
  [[nodiscard]] std::string log() const { return child_.standard_error(); }
  ChildProcess& process() { return child_; }

 private:
  AgentProcess(TempDir folder, ChildProcess child) : folder_(std::move(folder)), child_(std::move(child)) {}
  Status await_ready();

  TempDir folder_;
  ChildProcess child_;
  std::uint16_t port_ = 0;
};

}  // namespace connscope::testing
