// SPDX-License-Identifier: Apache-2.0
//
// What every response gets in the same way, whatever handler made it. Pure; any thread.
#pragma once

#include <string_view>

#include "agent/http/message.h"

namespace connscope::http {

/// Adds Content-Type, `Vary` and `X-Content-Type-Options: nosniff`, and compresses a body of more than 1 KiB when
/// `accept_encoding` welcomes gzip.
[[nodiscard]] Response finish(Response response, std::string_view accept_encoding);

/// A short plain body: `status` (one that HTTP knows), its standard reason, and `detail` when there is one.
[[nodiscard]] Response plain_response(int status, std::string_view detail = {});

}  // namespace connscope::http
