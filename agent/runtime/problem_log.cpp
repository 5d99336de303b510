// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/problem_log.h"

#include <spdlog/spdlog.h>

namespace connscope::runtime {

void ProblemLog::note(const std::string& part, const std::string& problem, Severity severity) {
  std::string& last = last_[part];
  if (problem == last) return;
  if (problem.empty()) {
    spdlog::info("{}: works again", part);
  } else {
    spdlog::log(severity == Severity::kWarning ? spdlog::level::warn : spdlog::level::err, "{}: {}", part, problem);
  }
  last = problem;
}

}  // namespace connscope::runtime
