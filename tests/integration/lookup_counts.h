// SPDX-License-Identifier: Apache-2.0
//
// What the agent says of the C library's look-ups of one process, as one scrape shows it.
#pragma once

#include <map>
#include <string>

#include "tests/support/exposition.h"

namespace connscope::testing {

struct LookupCounts {
  std::map<std::string, double> ended;     // by outcome, those that are not zero
  std::map<std::string, double> failures;  // by reason, of those that the library tells and that are not zero
  double seconds = 0;
  double queries = 0;          // the sum
  double queries_counted = 0;  // look-ups in that histogram

  static LookupCounts of(const Exposition& exposition, const std::string& process);
  [[nodiscard]] double all_ended() const;
};

}  // namespace connscope::testing
