// SPDX-License-Identifier: Apache-2.0
//
// Names as the line protocols have them: paths of parts with dots between them, and tags. Whatever a name may not have
// becomes `_`, so that no text from outside can end a name, or a line. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/config/document.h"
#include "agent/metrics/metric_id.h"

namespace connscope::exporters {

/// One part of a path: letters, digits, `_` and `-`.
void append_part(std::string_view text, std::string& out);
/// Several parts, which have dots between them already.
void append_parts(std::string_view text, std::string& out);
/// PREFIX.id; the id alone where there is no prefix.
void append_path(std::string_view prefix, std::string_view id, std::string& out);
/// A tag may have any text but control characters and `forbidden`.
void append_tag_text(std::string_view text, std::string_view forbidden, std::string& out);

/// `prefix = "web1.eu"` of an exporter's section, with a dot at its end; empty when there is none. Problems go to the
/// document.
[[nodiscard]] std::string parse_name_prefix(const config::Section& section);

}  // namespace connscope::exporters
