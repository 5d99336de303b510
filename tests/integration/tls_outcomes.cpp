// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tls_outcomes.h"

#include <sstream>

namespace connscope::testing {
namespace {

void add(TlsOutcome& outcome, const ExposedSample& sample) {
  if (sample.name == "conn_tls_handshake_duration_seconds_count") {
    (sample.labels.at("outcome") == "ok" ? outcome.ok : outcome.failed) += sample.value;
  } else if (sample.name == "conn_tls_handshakes_in_flight") {
    outcome.in_flight += sample.value;
  } else if (sample.name == "conn_failures_total" && sample.labels.at("stage") == "tls" && sample.value != 0) {
    outcome.failures[sample.labels.at("reason")] += sample.value;
  }
}

}  // namespace

std::string TlsOutcome::word() const {
  const bool failed_once = failures.size() == 1 && failures.begin()->second == 1;
  if (in_flight == 0 && ok + failed == 1) {
    if (ok == 1 && failures.empty()) return "ok";
    if (failed_once) return (ok == 1 ? "ok+" : "") + failures.begin()->first;
  }
  if (ok + failed + in_flight == 0 && failures.empty()) return "nothing";
  std::ostringstream all;
  all << "ok " << ok << ", failed " << failed << ", in flight " << in_flight;
  for (const auto& [reason, count] : failures) all << ", " << reason << " " << count;
  return all.str();
}

TlsOutcomes read_tls_outcomes(const Exposition& shown) {
  TlsOutcomes outcomes;
  for (const ExposedSample& sample : shown.samples()) {
    const auto process = sample.labels.find("process");
    if (process != sample.labels.end()) add(outcomes[process->second], sample);
  }
  return outcomes;
}

}  // namespace connscope::testing
