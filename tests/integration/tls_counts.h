// SPDX-License-Identifier: Apache-2.0
//
// What the agent says of the TLS handshakes of one process in one role, as one scrape shows it, and the law between
// these figures that holds in every scrape.
#pragma once

#include <string>

#include "tests/integration/counts.h"

namespace connscope::testing {

struct TlsCounts {
  Counts ok;        // by version
  Counts failed;    // by version
  Counts failures;  // by reason
  Counts resumed;   // by version
  double in_flight = 0;
  double seconds = 0;

  static TlsCounts of(const Exposition& shown, const std::string& process, const std::string& role);

  /// What has come since; what is in flight as it is now.
  [[nodiscard]] TlsCounts since(const TlsCounts& before) const;
  [[nodiscard]] double all_ended() const { return total(ok) + total(failed); }
};

/// To the last; durations apart. Nothing is in flight.
void expect_counts(const TlsCounts& counts, const TlsCounts& wanted);
[[nodiscard]] bool has_counts(const TlsCounts& counts, const TlsCounts& wanted);

/// Every end has its row of labels, and every failed handshake its reason; refusals after success are reasons beside
/// those.
void expect_tls_laws(const Exposition& shown, const std::string& process);

}  // namespace connscope::testing
