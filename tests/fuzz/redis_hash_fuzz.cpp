// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the fields and values of two Redis hashes, a line each in turn. A field that is taken apart is the same
// when it is written and taken apart again; every field is shown or counted; and OpenMetrics comes of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/metrics/utf8.h"
#include "exporters/openmetrics.h"
#include "exporters/redis_fields.h"
#include "exporters/redis_source.h"

namespace {

using namespace connscope::exporters;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string line(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

void check_field(const std::string& text) {
  const auto field = parse_redis_field(text);
  if (!field) return;
  require(!field->name.empty());
  for (const auto& [name, value] : field->labels)
    if (!connscope::metrics::is_utf8(value) || value.empty()) return;  // escaping mends those
  const auto again = parse_redis_field(field->name + ":" + field->extension + ":" + redis_labels(field->labels));
  require(again && again->labels == field->labels && again->extension == field->extension);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<RedisHash> hashes = {{"a", {}}, {"b", {}}};
  for (std::size_t i = 0; !rest.empty(); ++i) {
    std::string field = next_line(rest);
    check_field(field);
    hashes[i % 3 == 0 ? 1 : 0].fields.emplace_back(std::move(field), next_line(rest));
  }
  RefusedFields refused;
  const auto snapshot = decode_redis(hashes, refused);
  std::string text;
  OpenMetricsEncoder("1.0.0").encode(*snapshot, {}, text);
  require(text.ends_with("# EOF\n"));
  require(refused["a"] <= hashes[0].fields.size() && refused["b"] <= hashes[1].fields.size());
  return 0;
}
