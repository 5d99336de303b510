// SPDX-License-Identifier: Apache-2.0
//
// What the agent says of the lives and the listeners of one process, as one scrape shows them, and the laws between
// these figures that hold in every scrape.
#pragma once

#include <string>

#include "tests/integration/counts.h"
#include "tests/support/exposition.h"

namespace connscope::testing {

/// One role of one process. A map holds what is not zero.
struct LifeCounts {
  Counts closes;    // by close
  Counts failures;  // by reason, those of the role; a client's failed connects too
  Counts resets;    // by direction
  double seconds = 0;
  double open = 0;
  double received = 0;
  double sent = 0;
  double retransmits = 0;
  double rtts = 0;
  double rtt_seconds = 0;

  static LifeCounts of(const Exposition& shown, const std::string& process, const std::string& role);

  [[nodiscard]] double all_closes() const;
};

/// The passive side of one process. A map holds what is not zero.
struct AcceptCounts {
  Counts accepts;     // by ip_family
  Counts handshakes;  // by ip_family
  Counts drops;       // by reason
  Counts failures;    // by reason, role=server
  double handshake_seconds = 0;
  double waits = 0;
  double wait_seconds = 0;
  double backlog = 0;
  double backlog_limit = 0;

  static AcceptCounts of(const Exposition& shown, const std::string& process);

  [[nodiscard]] double all_accepts() const;
  [[nodiscard]] double all_handshakes() const;
};

/// For a process all of whose connections are younger than the agent, and of which nothing has been lost.
void expect_laws(const Exposition& shown, const std::string& process);

}  // namespace connscope::testing
