// SPDX-License-Identifier: Apache-2.0
//
// Reads Prometheus text (0.0.4) as far as the tests need it: samples with their labels. Not a checker of the format;
// tests/conformance/ is that. A parsed Exposition is immutable: any thread may read it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace connscope::testing {

using LabelMap = std::map<std::string, std::string>;

struct ExposedSample {
  std::string name;
  LabelMap labels;
  double value = 0;
};

class Exposition {
 public:
  static Result<Exposition> parse(std::string_view text);

  /// The sum over the samples of that name which have at least these labels; 0 when there is none.
  [[nodiscard]] double sum(const std::string& name, const LabelMap& labels = {}) const;
  /// The number of samples of that name which have at least these labels.
  [[nodiscard]] std::size_t count(const std::string& name, const LabelMap& labels = {}) const;
  /// The values that a label takes, over all names.
  [[nodiscard]] std::set<std::string> values_of(const std::string& label) const;
  [[nodiscard]] const std::vector<ExposedSample>& samples() const { return samples_; }

 private:
  std::vector<ExposedSample> samples_;
};

}  // namespace connscope::testing
