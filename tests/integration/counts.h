// SPDX-License-Identifier: Apache-2.0
//
// Figures of one scrape by the values of their labels. A map holds what is not zero; a key of several labels has a
// blank between them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/exposition.h"

namespace connscope::testing {

using Counts = std::map<std::string, double>;

[[nodiscard]] double total(const Counts& counts);
[[nodiscard]] Counts times(const Counts& counts, int factor);
/// What is in `after` beyond `before`; without what is zero.
[[nodiscard]] Counts difference(const Counts& after, const Counts& before);
/// What `name` shows for samples with these labels, by the values of `by`; without what is zero. A label that is empty
/// is not shown.
[[nodiscard]] Counts grouped(const Exposition& shown, const std::string& name, const LabelMap& labels,
                             const std::vector<std::string>& by);

}  // namespace connscope::testing
