// SPDX-License-Identifier: Apache-2.0
//
// The query of a URL as `application/x-www-form-urlencoded` (WHATWG URL §5.1): `name[]=a&name%5B%5D=b&x=1+2`.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"

namespace connscope::http {

/// In the order sent, repeated keys repeated.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

/// More than a person or Prometheus would ever send; a bound on what one request makes the agent do.
constexpr std::size_t kMaxQueryParameters = 256;

/// `query` is what follows the `?`. Empty pieces ("a=1&&b") are skipped; a key without `=` has an empty value. Refused
/// are a `%` without two hexadecimal digits, a NUL byte in any spelling, and too many parameters; the error counts
/// characters of the query from 1.
Result<QueryParameters> parse_query(std::string_view query);

}  // namespace connscope::http
