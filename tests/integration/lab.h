// SPDX-License-Identifier: Apache-2.0
//
// What the test programs here share: results that must be there, and what the agent says of one process.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/support/agent_process.h"
#include "tests/support/exposition.h"

namespace connscope::testing {

/// The value of a result without which a test cannot go on; a failure ends the test with the error's message.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message());
}

/// The TCP connects of one process, as one scrape shows them.
struct ConnectCounts {
  std::map<std::string, double> attempts;  // by ip_family
  std::map<std::string, double> ok;        // by ip_family
  std::map<std::string, double> failed;    // by ip_family
  std::map<std::string, double> failures;  // by reason, those that are not zero
  double in_flight = 0;
  double duration_seconds = 0;

  static ConnectCounts of(const Exposition& exposition, const std::string& process);

  [[nodiscard]] double all_attempts() const;
  [[nodiscard]] double all_ended() const;
};

/// A loopback port of the test's own namespace that surely refuses: bound, so that nobody else gets it, and not
/// listening.
class RefusingPort {
 public:
  static Result<RefusingPort> take();
  [[nodiscard]] const std::string& port() const { return port_; }

 private:
  RefusingPort(UniqueFd fd, std::string port) : fd_(std::move(fd)), port_(std::move(port)) {}
  UniqueFd fd_;
  std::string port_;
};

/// The exit status of waitpid() says: ended by itself, with 0.
bool ended_well(int status);

}  // namespace connscope::testing
