// SPDX-License-Identifier: Apache-2.0
//
// BucketLayout: the bounds of a histogram. Bounds are inclusive upper bounds (`le`), strictly rising; the bucket for
// +Inf is implied and comes last, so there is one bucket more than there are bounds. `text_bounds` are indices into
// `bounds`: the coarser set that the text formats show; since they are bounds of the fine set, a coarse bucket is a
// plain sum of fine ones and nothing is interpolated.
// Immutable after creation, shared by all series of a family and by every snapshot; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "agent/base/result.h"

namespace connscope::metrics {

class BucketLayout {
 public:
  using Ptr = std::shared_ptr<const BucketLayout>;

  /// Refuses bounds that are not finite or do not rise, and text bounds that do not exist or do not rise.
  static Result<Ptr> create(std::vector<double> bounds, std::vector<std::size_t> text_bounds);
  /// The same, with every bound shown in text.
  static Result<Ptr> create(std::vector<double> bounds);
  /// Native histogram schema `schema` (0 to 8): bounds 2^(i / 2^schema) for i from `first` to `last`, and in text those
  /// whose i is a multiple of `text_step`.
  static Ptr exponential(int schema, int first, int last, int text_step);

  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  [[nodiscard]] const std::vector<std::size_t>& text_bounds() const { return text_bounds_; }
  [[nodiscard]] std::size_t bucket_count() const { return bounds_.size() + 1; }
  /// The index of the bucket that takes `value`: the first whose bound is not below it. NaN goes to the last.
  [[nodiscard]] std::size_t bucket_of(double value) const;
  /// Set for exponential layouts: the schema, and the i of bounds()[0].
  struct Exponential {
    int schema;
    int first;
  };
  [[nodiscard]] const std::optional<Exponential>& exponential() const { return exponential_; }
  [[nodiscard]] bool operator==(const BucketLayout& other) const { return bounds_ == other.bounds_; }

 private:
  BucketLayout(std::vector<double> bounds, std::vector<std::size_t> text_bounds);

  std::vector<double> bounds_;
  std::vector<std::size_t> text_bounds_;
  std::optional<Exponential> exponential_;
};

}  // namespace connscope::metrics
