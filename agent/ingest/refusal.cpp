// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/refusal.h"

namespace connscope::ingest {

const char* to_string(Refusal reason) {
  static constexpr ByRefusal<const char*> kNames{"malformed",        "bad_type",
                                                 "bad_value",        "bad_rate",
                                                 "bad_name",         "bad_tag",
                                                 "reserved_name",    "reserved_label",
                                                 "negative_counter", "unsupported",
                                                 "type_conflict",    "name_conflict",
                                                 "series_limit",     "process_series_limit",
                                                 "set_full",         "excluded",
                                                 "packet_too_long"};
  return kNames[index(reason)];
}

}  // namespace connscope::ingest
