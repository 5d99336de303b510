// SPDX-License-Identifier: Apache-2.0
//
// gzip (RFC 1952) of a whole body, by libdeflate. Any thread; about 100 KiB of memory, and the body's length, while it
// runs.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.h"

namespace connscope::http {

/// Level 1: expositions repeat themselves so much that higher levels cost several times the CPU for little.
Result<std::string> gzip(std::string_view plain);

}  // namespace connscope::http
