// SPDX-License-Identifier: Apache-2.0
#include "tests/support/exposition.h"

#include <cstdlib>

namespace connscope::testing {
namespace {

/// A cursor over one line.
class LineReader {
 public:
  explicit LineReader(std::string_view line) : line_(line) {}

  Result<ExposedSample> read() {
    ExposedSample sample;
    sample.name = std::string(take_until("{ "));
    if (peek() == '{') {
      ++at_;
      while (peek() != '}') {
        if (Status label = read_label(sample.labels); !label) return label.error();
      }
      ++at_;
    }
    const std::string rest(line_.substr(at_));
    char* end = nullptr;
    sample.value = std::strtod(rest.c_str(), &end);
    if (sample.name.empty() || end == rest.c_str()) return Error("not a sample: " + std::string(line_));
    return sample;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }

  std::string_view take_until(std::string_view stops) {
    const std::size_t begin = at_;
    at_ = std::min(line_.find_first_of(stops, begin), line_.size());
    return line_.substr(begin, at_ - begin);
  }

  Status read_label(LabelMap& labels) {
    const std::string name(take_until("=}"));
    if (line_.substr(at_, 2) != "=\"") return Error("not a label: " + std::string(line_));
    at_ += 2;
    std::string& value = labels[name];
    while (peek() != '"') {
      if (at_ + 1 >= line_.size()) return Error("a label value without an end: " + std::string(line_));
      if (peek() == '\\') {
        ++at_;
        value += peek() == 'n' ? '\n' : peek();
      } else {
        value += peek();
      }
      ++at_;
    }
    ++at_;
    if (peek() == ',') ++at_;
    return {};
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

bool matches(const ExposedSample& sample, const std::string& name, const LabelMap& labels) {
  if (sample.name != name) return false;
  for (const auto& [label, value] : labels) {
    const auto found = sample.labels.find(label);
    if (found == sample.labels.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

Result<Exposition> Exposition::parse(std::string_view text) {
  Exposition exposition;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    auto sample = LineReader(line).read();
    if (!sample) return sample.error();
    exposition.samples_.push_back(std::move(*sample));
  }
  return exposition;
}

double Exposition::sum(const std::string& name, const LabelMap& labels) const {
  double total = 0;
  for (const ExposedSample& sample : samples_) {
    if (matches(sample, name, labels)) total += sample.value;
  }
  return total;
}

std::size_t Exposition::count(const std::string& name, const LabelMap& labels) const {
  std::size_t found = 0;
  for (const ExposedSample& sample : samples_) {
    if (matches(sample, name, labels)) ++found;
  }
  return found;
}

std::set<std::string> Exposition::values_of(const std::string& label) const {
  std::set<std::string> values;
  for (const ExposedSample& sample : samples_) {
    const auto found = sample.labels.find(label);
    if (found != sample.labels.end()) values.insert(found->second);
  }
  return values;
}

}  // namespace connscope::testing
