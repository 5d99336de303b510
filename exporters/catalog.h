// SPDX-License-Identifier: Apache-2.0
//
// The exposition formats that this build has, in order of preference when a client likes several equally.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exporters/encoder.h"

namespace connscope::exporters {

struct Format {
  /// What an Accept header is matched against: a media type with the parameters that select this format
  /// ("application/openmetrics-text; version=1.0.0").
  std::string media_type;
  /// True: only a client that names this type (or `application/*`) gets it; `*/*` does not.
  bool only_when_named = false;
  std::unique_ptr<const Encoder> encoder;
};

[[nodiscard]] std::vector<Format> make_formats();

}  // namespace connscope::exporters
