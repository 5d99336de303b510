// SPDX-License-Identifier: Apache-2.0
#include "exporters/redis_fields.h"

#include <algorithm>
#include <utility>

#include "exporters/text.h"

namespace connscope::exporters {
namespace {

/// Reads `name="value"` pairs with commas between them.
class LabelReader {
 public:
  explicit LabelReader(std::string_view text) : rest_(text) {}

  std::optional<metrics::Labels> read() {
    metrics::Labels labels;
    while (!rest_.empty()) {
      if (!labels.empty() && !take(',')) return std::nullopt;
      auto label = read_label();
      if (!label) return std::nullopt;
      labels.push_back(std::move(*label));
    }
    return labels;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::pair<std::string, std::string>> read_label() {
    const std::size_t equals = rest_.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    std::string name(rest_.substr(0, equals));
    if (name.find_first_of(",\"") != std::string::npos) return std::nullopt;
    rest_.remove_prefix(equals + 1);
    auto value = read_quoted();
    if (!value) return std::nullopt;
    return std::pair(std::move(name), std::move(*value));
  }

  std::optional<std::string> read_quoted() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
      } else if (rest_.empty()) {
        return std::nullopt;
      } else {
        value += rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

bool has_twins(const metrics::Labels& sorted) {
  return std::adjacent_find(sorted.begin(), sorted.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }) != sorted.end();
}

}  // namespace

std::string redis_labels(metrics::Labels labels) {
  std::sort(labels.begin(), labels.end());
  std::string out;
  for (const auto& [name, value] : labels) {
    if (value.empty()) continue;
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_escaped(value, Quotes::kEscaped, out);
    out += '"';
  }
  return out;
}

std::optional<RedisField> parse_redis_field(std::string_view field) {
  const std::size_t first = field.find(':');
  const std::size_t second = first == std::string_view::npos ? first : field.find(':', first + 1);
  if (second == std::string_view::npos || first == 0) return std::nullopt;
  auto labels = LabelReader(field.substr(second + 1)).read();
  if (!labels) return std::nullopt;
  std::sort(labels->begin(), labels->end());
  if (has_twins(*labels)) return std::nullopt;
  return RedisField{std::string(field.substr(0, first)), std::string(field.substr(first + 1, second - first - 1)),
                    std::move(*labels)};
}

}  // namespace connscope::exporters
