// SPDX-License-Identifier: Apache-2.0
#include "exporters/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <variant>

#include "agent/metrics/utf8.h"

namespace connscope::exporters {

namespace {

using NumberBuffer = std::array<char, 400>;  // the longest fixed form of a double has some 330 characters

template <class... Args>
std::string_view to_text(NumberBuffer& buffer, Args... args) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), args...);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

/// True when `value` is no finite number, and then its name is written.
bool append_special(double value, std::string& out) {
  if (std::isfinite(value)) return false;
  if (std::isnan(value)) {
    out += "NaN";
  } else {
    out += value > 0 ? "+Inf" : "-Inf";
  }
  return true;
}

/// Stands for itself in a quoted text, whatever the quotes.
bool is_plain(char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\\' && c != '"' && c != '\n'; }

}  // namespace

void append_number(std::uint64_t value, std::string& out) {
  std::array<char, 20> buffer;  // NOLINT(*-member-init): written below, and this is the hottest line
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
}

void append_number(double value, std::string& out) {
  NumberBuffer buffer;  // NOLINT(*-member-init)
  if (!append_special(value, out)) out += to_text(buffer, value);
}

void append_number(const metrics::Number& value, std::string& out) {
  std::visit([&out](auto number) { append_number(number, out); }, value);
}

void append_canonical(double value, std::string& out) {
  if (append_special(value, out)) return;
  NumberBuffer buffer;  // NOLINT(*-member-init)
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e6)) {
    out += to_text(buffer, value, std::chars_format::scientific);
    return;
  }
  const std::string_view fixed = to_text(buffer, value, std::chars_format::fixed);
  out += fixed;
  if (fixed.find('.') == std::string_view::npos) out += ".0";
}

void append_escaped(std::string_view text, Quotes quotes, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const auto run_end = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_plain);
    const auto run = static_cast<std::size_t>(run_end - text.begin()) - at;
    out.append(text, at, run);
    at += run;
    if (at == text.size()) return;
    const char c = text[at];
    const std::size_t length = metrics::utf8_length(text, at);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (c == '"' && quotes == Quotes::kEscaped)) {
      out += '\\';
      out += c;
    } else {
      out += length == 0 ? metrics::kReplacement : text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
}

void LineWriter::comment(std::string_view keyword, std::string_view suffix, std::string_view text, Quotes quotes) {
  out_ += "# ";
  out_ += keyword;
  out_ += ' ';
  out_ += family_->name;
  out_ += suffix;
  out_ += ' ';
  append_escaped(text, quotes, out_);
  out_ += '\n';
}

void LineWriter::begin_family(const metrics::FamilyDescriptor& descriptor) {
  family_ = &descriptor;
  label_starts_.clear();
  for (const auto& name : descriptor.label_names) label_starts_.push_back(name + "=\"");
}

void LineWriter::append_label(std::string_view name_and_equals, std::string_view value) {
  if (value.empty()) return;  // an empty label is the same as none
  labels_ += labels_.empty() ? '{' : ',';
  labels_ += name_and_equals;
  append_escaped(value, Quotes::kEscaped, labels_);
  labels_ += '"';
}

void LineWriter::begin_series(const metrics::Sample& sample) {
  labels_.clear();
  const auto& values = *sample.label_values;
  for (std::size_t i = 0; i < label_starts_.size(); ++i) append_label(label_starts_[i], values[i]);
}

void LineWriter::add_labels(const metrics::Labels& labels) {
  const auto& own = family_->label_names;
  for (const auto& [name, value] : labels) {
    if (std::find(own.begin(), own.end(), name) == own.end()) append_label(name + "=\"", value);
  }
}

void LineWriter::start_line(std::string_view suffix) {
  out_ += family_->name;
  out_ += suffix;
  out_ += labels_;
  out_ += labels_.empty() ? " " : "} ";
}

void LineWriter::line(std::string_view suffix, const metrics::Number& value, Exemplars exemplars) {
  start_line(suffix);
  append_number(value, out_);
  if (!exemplars.empty()) append_exemplar(*exemplars.front().exemplar);
  out_ += '\n';
}

void LineWriter::time(std::string_view suffix, std::uint64_t unix_milliseconds) {
  start_line(suffix);
  append_unix_time(unix_milliseconds);
  out_ += '\n';
}

void LineWriter::append_unix_time(std::uint64_t unix_milliseconds) {
  append_number(unix_milliseconds / 1000, out_);
  const std::string decimals = std::to_string(1000 + unix_milliseconds % 1000);
  out_ += '.';
  out_.append(decimals, 1);
}

/// ` # {peer="192.0.2.1:443"} 0.25 1700000000.012`, behind the value of a line.
void LineWriter::append_exemplar(const metrics::Exemplar& exemplar) {
  using std::chrono::milliseconds;
  out_ += " # {";
  for (const auto& [name, value] : exemplar.labels) {
    if (out_.back() != '{') out_ += ',';
    out_ += name;
    out_ += "=\"";
    append_escaped(value, Quotes::kEscaped, out_);
    out_ += '"';
  }
  out_ += "} ";
  append_number(exemplar.value, out_);
  out_ += ' ';
  const auto since_epoch = std::chrono::duration_cast<milliseconds>(exemplar.time.time_since_epoch()).count();
  append_unix_time(static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch, 0)));
}

void LineWriter::start_label(std::string_view suffix, std::string_view label, std::string& out) const {
  out += family_->name;
  out += suffix;
  out += labels_;
  out += labels_.empty() ? '{' : ',';
  out += label;
  out += "=\"";
}

void LineWriter::line(std::string_view suffix, std::string_view label, std::string_view label_value,
                      const metrics::Number& value) {
  start_label(suffix, label, out_);
  out_ += label_value;
  out_ += "\"} ";
  append_number(value, out_);
  out_ += '\n';
}

void LineWriter::use_layout(const metrics::BucketLayout& layout) {
  if (layout_ == &layout) return;
  layout_ = &layout;
  bounds_.clear();
  for (const std::size_t index : layout.text_bounds()) {
    append_canonical(layout.bounds()[index], bounds_.emplace_back());
    bounds_.back() += "\"} ";
  }
  bounds_.emplace_back("+Inf\"} ");
}

std::uint64_t LineWriter::buckets(const metrics::HistogramValue& value, Exemplars exemplars) {
  use_layout(*value.layout);
  scratch_.clear();
  start_label("_bucket", "le", scratch_);
  std::uint64_t below = 0;
  std::size_t next = 0;  // the first fine bucket that is not in `below`
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    const std::size_t end = i + 1 < bounds_.size() ? layout_->text_bounds()[i] + 1 : value.counts.size();
    for (; next < end; ++next) below += value.counts[next];
    out_ += scratch_;
    out_ += bounds_[i];
    append_number(below, out_);
    if (!exemplars.empty() && exemplars.front().bucket == i) {
      append_exemplar(*exemplars.front().exemplar);
      exemplars = exemplars.subspan(1);
    }
    out_ += '\n';
  }
  return below;
}

void LineWriter::quantile(double quantile, double value) {
  scratch_.clear();
  append_canonical(quantile, scratch_);
  line("", "quantile", scratch_, value);
}

void LineWriter::states(const metrics::StateSetValue& value) {
  for (const auto& [state, on] : value.states) {
    scratch_.clear();
    append_escaped(state, Quotes::kEscaped, scratch_);
    line("", family_->name, scratch_, std::uint64_t{on ? 1U : 0U});
  }
}

namespace {

bool is_target_info(const metrics::FamilySnapshot& family) {
  return family.type == metrics::MetricType::kInfo && family.descriptor->name == "target";
}

/// About how long the whole snapshot gets, so that the buffer grows once. What stays unused costs no memory.
std::size_t expected_bytes(const metrics::Snapshot& snapshot) {
  constexpr std::size_t kLineBytes = 100;
  std::size_t lines = 0;
  for (const auto& family : snapshot.families) {
    std::size_t per_series = 2;
    if (!family.samples.empty()) {
      const auto* histogram = std::get_if<metrics::HistogramValue>(&family.samples.front().value);
      if (histogram != nullptr) per_series = histogram->layout->text_bounds().size() + 4;
    }
    lines += 3 + family.samples.size() * per_series;
  }
  return lines * kLineBytes;
}

}  // namespace

void TextEncoder::encode(const metrics::Snapshot& snapshot, const Selection& selection, std::string& out) const {
  if (selection.names.empty() && selection.prefixes.empty()) out.reserve(out.size() + expected_bytes(snapshot));
  LineWriter lines(out);
  for (const bool target_first : {true, false}) {
    for (const auto& family : snapshot.families) {
      if (is_target_info(family) == target_first) encode_family(family, selection, lines);
    }
  }
  write_end(out);
}

void TextEncoder::encode_family(const metrics::FamilySnapshot& family, const Selection& selection,
                                LineWriter& lines) const {
  if (!selection.selects_family(family)) return;
  bool has_head = false;
  for (const auto& sample : family.samples) {
    if (!selection.selects_sample(family, sample)) continue;
    if (!has_head) {
      lines.begin_family(*family.descriptor);
      write_head(family, lines);
      has_head = true;
    }
    lines.begin_series(sample);
    write_sample(family, sample, lines);
  }
}

}  // namespace connscope::exporters
