// SPDX-License-Identifier: Apache-2.0
//
// Registrar: registers families, or single series, one after the other and keeps the first error, so that a table of
// them reads as one. Lives on the stack of whoever makes them; the collecting thread only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/registry.h"

namespace connscope::metrics {

class Registrar {
 public:
  explicit Registrar(Registry& registry) : registry_(registry) {}

  /// Leaves `family` as it is when that cannot be.
  template <class S>
  void add(Family<S>*& family, const char* name, const char* help, const char* unit, std::vector<std::string> labels,
           const char* id = "") {
    keep(registry_.family<S>(FamilyDescriptor{name, help, unit, std::move(labels), "", id}), family);
  }
  /// One series of a family without a unit.
  template <class S>
  void add_series(S*& series, const char* name, const char* help, std::vector<std::string> labels = {},
                  const std::vector<std::string>& values = {}) {
    Family<S>* family = nullptr;
    add(family, name, help, "", std::move(labels));
    if (family != nullptr) keep(family->with(values), series);
  }
  [[nodiscard]] const Status& outcome() const { return outcome_; }

 private:
  template <class T>
  void keep(Result<T*> made, T*& kept) {
    if (made) {
      kept = *made;
    } else if (outcome_) {
      outcome_ = made.error();
    }
  }

  Registry& registry_;
  Status outcome_;
};

}  // namespace connscope::metrics
