// SPDX-License-Identifier: Apache-2.0
//
// What the text formats share: numbers, escaping, and lines of `name{labels} value`. Everything is appended to a string
// that the caller owns. A LineWriter serves one encode call on one thread; the functions are pure.
// No text from outside can break a line: it is escaped, and what is not UTF-8 becomes U+FFFD.
// Source: OpenMetrics 1.0, "Text format"; Prometheus, "Exposition formats" 0.0.4.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics/snapshot.h"
#include "exporters/encoder.h"

namespace connscope::exporters {

/// Integers without a fraction, doubles in their shortest form that reads back as the same; `NaN`, `+Inf`, `-Inf`.
void append_number(std::uint64_t value, std::string& out);
void append_number(double value, std::string& out);
void append_number(const metrics::Number& value, std::string& out);
/// A double as `le` and `quantile` have it, where the text is an identity: always with a fraction or an exponent
/// (`1.0`, `0.001`, `1e-05`, `1e+06`, `+Inf`).
void append_canonical(double value, std::string& out);

enum class Quotes { kEscaped, kBare };
/// Escapes backslash and line feed, and `"` when asked.
void append_escaped(std::string_view text, Quotes quotes, std::string& out);

/// Writes the lines of one family after another, and renders what they share once: the label names of a family, the
/// label set of a series, the `le` values of a layout.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}

  /// `# KEYWORD name+suffix text`.
  void comment(std::string_view keyword, std::string_view suffix, std::string_view text, Quotes quotes = Quotes::kBare);
  void begin_family(const metrics::FamilyDescriptor& descriptor);
  void begin_series(const metrics::Sample& sample);
  /// More labels for the current series; those that it has by that name already are left out.
  void add_labels(const metrics::Labels& labels);

  /// Exemplars of one sample, by bucket; only OpenMetrics has them.
  using Exemplars = std::span<const metrics::PlacedExemplar>;

  void line(std::string_view suffix, const metrics::Number& value, Exemplars exemplars = {});
  /// The same with one more label. `label_value` is escaped already.
  void line(std::string_view suffix, std::string_view label, std::string_view label_value,
            const metrics::Number& value);
  /// A moment as Unix time in seconds with three decimals.
  void time(std::string_view suffix, std::uint64_t unix_milliseconds);
  /// One cumulative `_bucket` line for each text bound and for +Inf. Returns the count of all.
  std::uint64_t buckets(const metrics::HistogramValue& value, Exemplars exemplars = {});
  void quantile(double quantile, double value);
  /// `name{…,name="state"} 0` or `1`, for each state.
  void states(const metrics::StateSetValue& value);

 private:
  void append_label(std::string_view name_and_equals, std::string_view value);
  void use_layout(const metrics::BucketLayout& layout);
  void start_line(std::string_view suffix);
  void append_exemplar(const metrics::Exemplar& exemplar);
  void append_unix_time(std::uint64_t unix_milliseconds);
  /// The start of a line with one more label, up to that one's value: `name_bucket{a="x",le="`.
  void start_label(std::string_view suffix, std::string_view label, std::string& out) const;

  std::string& out_;
  const metrics::FamilyDescriptor* family_ = nullptr;
  std::vector<std::string> label_starts_;  // `a="` for each label name of the family
  std::string labels_;                     // `{a="x",b="y"` of the series, still open; empty when it has none
  std::string scratch_;
  const metrics::BucketLayout* layout_ = nullptr;
  std::vector<std::string> bounds_;  // `0.001"} ` for each text bound of layout_, and for +Inf
};

/// The walk over a snapshot that both formats have: selected families that have selected series, `target_info` before
/// all others, as OpenMetrics wants it.
class TextEncoder : public Encoder {
 public:
  void encode(const metrics::Snapshot& snapshot, const Selection& selection, std::string& out) const final;

 protected:
  virtual void write_head(const metrics::FamilySnapshot& family, LineWriter& lines) const = 0;
  virtual void write_sample(const metrics::FamilySnapshot& family, const metrics::Sample& sample,
                            LineWriter& lines) const = 0;
  virtual void write_end(std::string& out) const = 0;

 private:
  void encode_family(const metrics::FamilySnapshot& family, const Selection& selection, LineWriter& lines) const;
};

}  // namespace connscope::exporters
