// SPDX-License-Identifier: Apache-2.0
//
// SeriesKey: what one series of an application is, made of a sender and a line the first time they come. Names are made
// legal or refused, never cut (FEATURES P8, "Mistakes" 12):
//
//   app.x:1|c             family app_x            a trailing ".total" goes, since the sample gets it back
//   app.wait:3|ms         family app_wait_seconds a trailing ".ms" or ".seconds" goes before
//   app.body_bytes:9|h    family app_body_bytes   unit bytes; likewise seconds
//
// Characters that a name may not have become '_'. Tags become labels, sorted by key; `a` alone is a="true", `a:` no
// label at all. Pure but for the allocation of the result; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/ingest/line.h"
#include "agent/ingest/refusal.h"
#include "agent/metrics/snapshot.h"

namespace connscope::ingest {

struct Sender;

inline constexpr std::size_t kMaxNameBytes = 200;
inline constexpr std::size_t kMaxTags = 16;
inline constexpr std::size_t kMaxTagBytes = 1024;  // all tags of a line together

/// A client's word of lines that it could not send: the one name of the agent's own that applications may use.
inline constexpr std::string_view kLostLinesName = "connscope.client.lost";
inline constexpr std::string_view kLostLinesFamily = "connscope_ingest_client_lost_lines";

struct SeriesKey {
  std::shared_ptr<const Sender> sender;
  std::string sent_name;  ///< "app.x"
  std::string family;     ///< "app_x"
  std::string id;         ///< "app.x", legal as policies name it (agent/metrics/metric_id.h)
  std::string unit;       ///< "seconds", "bytes" or empty
  Kind kind = Kind::kCounter;
  metrics::Labels labels;  ///< sorted by name; without `process`
};

using SeriesKeyPtr = std::shared_ptr<const SeriesKey>;

/// Fills `key`, all but its sender.
[[nodiscard]] std::optional<Refusal> make_series_key(const Line& line, SeriesKey& key);

}  // namespace connscope::ingest
