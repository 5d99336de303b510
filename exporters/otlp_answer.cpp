// SPDX-License-Identifier: Apache-2.0
#include "exporters/otlp_answer.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "agent/metrics/utf8.h"

namespace connscope::exporters {
namespace {

using protozero::pbf_wire_type;

std::uint64_t count_of(std::int64_t rejected) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rejected, 0));
}

/// partial_success = 1 { rejected_data_points = 1, error_message = 2 }
OtlpAnswer read_protobuf(std::string_view body) {
  OtlpAnswer answer;
  protozero::pbf_reader response(body.data(), body.size());
  while (response.next(1, pbf_wire_type::length_delimited)) {
    protozero::pbf_reader partial = response.get_message();
    while (partial.next()) {
      if (partial.tag_and_type() == protozero::tag_and_type(1, pbf_wire_type::varint)) {
        answer.rejected = count_of(partial.get_int64());
      } else if (partial.tag_and_type() == protozero::tag_and_type(2, pbf_wire_type::length_delimited)) {
        answer.message = partial.get_string();
      } else {
        partial.skip();
      }
    }
  }
  return answer;
}

/// An int64 is text in JSON; some write a number all the same.
std::int64_t integer_of(const nlohmann::json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return 0;
  return std::strtoll(value.get_ref<const std::string&>().c_str(), nullptr, 10);
}

OtlpAnswer read_json(std::string_view body) {
  OtlpAnswer answer;
  const auto response = nlohmann::json::parse(body, nullptr, false);
  if (!response.is_object() || !response.contains("partialSuccess")) return answer;
  const auto& partial = response["partialSuccess"];
  if (!partial.is_object()) return answer;
  if (partial.contains("rejectedDataPoints")) answer.rejected = count_of(integer_of(partial["rejectedDataPoints"]));
  if (partial.contains("errorMessage") && partial["errorMessage"].is_string())
    answer.message = partial["errorMessage"].get<std::string>();
  return answer;
}

}  // namespace

OtlpAnswer read_otlp_answer(MessageEncoding encoding, std::string_view body) {
  OtlpAnswer answer;
  try {
    answer = encoding == MessageEncoding::kJson ? read_json(body) : read_protobuf(body);
  } catch (const protozero::exception&) {
    return {};
  }
  answer.message = metrics::to_utf8(answer.message);
  std::replace_if(
      answer.message.begin(), answer.message.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return answer;
}

}  // namespace connscope::exporters
