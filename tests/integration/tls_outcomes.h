// SPDX-License-Identifier: Apache-2.0
//
// What the agent says has become of each process's TLS handshakes, in one word where each process had one handshake.
#pragma once

#include <map>
#include <string>

#include "tests/support/exposition.h"

namespace connscope::testing {

struct TlsOutcome {
  double ok = 0;
  double failed = 0;
  double in_flight = 0;
  std::map<std::string, double> failures;  // by reason, those that are not zero

  /// "ok"; or the reason of the one failure; or "ok+REASON", where a refusal came after success. Whatever else there is
  /// is told in full, so that it compares with none of these.
  [[nodiscard]] std::string word() const;
};

/// Of all processes, as one scrape shows them; the word of one that is not there is "nothing".
using TlsOutcomes = std::map<std::string, TlsOutcome>;
TlsOutcomes read_tls_outcomes(const Exposition& shown);

}  // namespace connscope::testing
