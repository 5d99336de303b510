// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/show_answer.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/glob.h"
#include "agent/base/result.h"
#include "agent/metrics/names.h"
#include "agent/terminal/series.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;
using Patterns = std::vector<std::string>;

bool matches_any(const Patterns& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, name); });
}

bool selects_family(const Patterns& patterns, const metrics::FamilySnapshot& family) {
  if (patterns.empty()) return true;
  const auto suffixes = metrics::sample_suffixes(family.type);
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
    return matches_any(patterns, family.descriptor->name + std::string(suffix));
  });
}

/// Walks over a snapshot, as far as the reader has come.
class Walk {
 public:
  Walk(metrics::SnapshotPtr snapshot, Patterns patterns)
      : snapshot_(std::move(snapshot)), patterns_(std::move(patterns)) {}

  /// The lines of the next series that is selected.
  std::optional<std::string> next() {
    if (!began_) {
      began_ = true;
      return control::line_of(
          {{"taken_at", std::chrono::duration<double>(snapshot_->taken_at.time_since_epoch()).count()}});
    }
    for (; family_ < snapshot_->families.size(); ++family_, sample_ = 0) {
      const auto& family = snapshot_->families[family_];
      if (sample_ == 0) whole_family_ = selects_family(patterns_, family);
      while (sample_ < family.samples.size()) {
        const auto& sample = family.samples[sample_++];
        if (whole_family_ || matches_any(patterns_, prefixed_id(family, sample))) return lines_of(family, sample);
      }
    }
    return std::nullopt;
  }

 private:
  static std::string lines_of(const metrics::FamilySnapshot& family, const metrics::Sample& sample) {
    std::string lines;
    for (const json& line : to_json(family, sample)) lines += control::line_of(line);
    return lines;
  }

  metrics::SnapshotPtr snapshot_;
  Patterns patterns_;
  bool began_ = false;
  bool whole_family_ = false;
  std::size_t family_ = 0;
  std::size_t sample_ = 0;
};

Result<Patterns> patterns_of(const json& request) {
  Patterns patterns;
  const auto given = request.find("patterns");
  if (given == request.end()) return patterns;
  const Error wrong("show: \"patterns\" is no list of texts");
  if (!given->is_array()) return wrong;
  for (const json& pattern : *given) {
    if (!pattern.is_string()) return wrong;
    patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

}  // namespace

control::Handler make_show_handler(std::function<metrics::SnapshotPtr()> fresh) {
  return [fresh = std::move(fresh)](const json& request, control::Responder& responder) {
    auto patterns = patterns_of(request);
    if (!patterns) return responder.fail(patterns.error().message());
    responder.produce([walk = Walk(fresh(), std::move(*patterns))]() mutable { return walk.next(); });
  };
}

}  // namespace connscope::terminal
