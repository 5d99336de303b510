// SPDX-License-Identifier: Apache-2.0
//
// ProblemLog: what is wrong with the parts of the agent, by their names, in the log once while it lasts, and that it
// works again. One thread at a time.
#pragma once

#include <map>
#include <string>

namespace connscope::runtime {

enum class Severity { kWarning, kError };

class ProblemLog {
 public:
  /// `problem` is empty when all is well.
  void note(const std::string& part, const std::string& problem, Severity severity);
  /// The part is no more; when it comes back, its problems are told anew.
  void forget(const std::string& part) { last_.erase(part); }

 private:
  std::map<std::string, std::string> last_;
};

}  // namespace connscope::runtime
