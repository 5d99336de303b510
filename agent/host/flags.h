// SPDX-License-Identifier: Apache-2.0
//
// The flags of the host's metrics, under the names that node_exporter gave them. A collector declares its own; which
// ones there are is the catalogue's business. Owns its values; immutable after the command line was read; any thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/host/pattern.h"

namespace connscope::host {

struct Flag {
  const char* name;      ///< without the dashes: "collector.netdev.device-exclude"
  const char* fallback;  ///< "true" and "false": a switch, which takes no value
  const char* help;

  [[nodiscard]] bool is_switch() const {
    return std::string_view(fallback) == "true" || std::string_view(fallback) == "false";
  }
};

class FlagValues {
 public:
  FlagValues() = default;
  /// `given` overrides the fallbacks of `flags`; the last one of a name counts.
  FlagValues(const std::vector<Flag>& flags, const std::vector<std::pair<std::string, std::string>>& given);

  /// Empty for a flag that nobody declared.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] bool is_on(std::string_view name) const { return text(name) == "true"; }
  [[nodiscard]] bool is_given(std::string_view name) const { return given_.find(name) != given_.end(); }
  /// A pattern that chooses; the error names the flag.
  [[nodiscard]] Result<Filter> include(std::string_view name) const;
  /// The flags NAME-include and NAME-exclude, of which only one may be given.
  [[nodiscard]] Result<Filter> filter(const std::string& name) const;
  /// A flag whose matches do not pass.
  [[nodiscard]] Result<Filter> exclude(std::string_view name) const;
  /// "500ms", "2s": a duration above zero.
  [[nodiscard]] Result<std::chrono::milliseconds> duration(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> fallbacks_;
  std::map<std::string, std::string, std::less<>> given_;
};

}  // namespace connscope::host
