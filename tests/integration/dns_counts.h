// SPDX-License-Identifier: Apache-2.0
//
// What the agent says of the DNS queries of one process, as one scrape shows it, and the law between these figures that
// holds in every scrape.
#pragma once

#include <string>

#include "tests/integration/counts.h"
#include "tests/support/exposition.h"

namespace connscope::testing {

/// All that is counted of one process. A map holds what is not zero; a key of several labels has a blank between them.
struct DnsCounts {
  Counts queries;    // by transport and qtype
  Counts ok;         // by transport and qtype
  Counts failed;     // by transport and qtype
  Counts responses;  // by rcode and qtype
  Counts failures;   // by reason: stage=dns, role=client
  Counts strays;     // by reason
  Counts served;     // by rcode
  double retries = 0;
  double truncated = 0;
  double late = 0;
  double in_flight = 0;
  double seconds = 0;
  double served_seconds = 0;

  static DnsCounts of(const Exposition& shown, const std::string& process);

  [[nodiscard]] double all_queries() const;
  [[nodiscard]] double all_ended() const;
  [[nodiscard]] double all_served() const;
};

/// `runs` times as many of everything as in `one_run`, to the last; durations apart. Nothing is in flight.
void expect_counts(const DnsCounts& counts, const DnsCounts& one_run, int runs);

/// What was begun has ended or is in flight, and every end has its response or its reason.
void expect_dns_laws(const Exposition& shown, const std::string& process);

}  // namespace connscope::testing
