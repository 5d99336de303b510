// SPDX-License-Identifier: Apache-2.0
//
// Ingest: metrics of applications, which they send to a local socket as StatsD or DogStatsD lines. The kernel vouches
// for who sent a packet, so that rules give its series their label `process` as they do for connections (FEATURES L16,
// P10, P11, and Instrumentor's many workers that come out as one series).
//
//   receiving thread    packets → Senders, lines → Accumulator      (receiver.h; a lock for each batch: intake.h)
//   collecting thread   sums → Merger → Registry                    (before each snapshot)
//
// Values: times are seconds in families and milliseconds on `ms` lines. Create, start, collect and destroy on the
// collecting thread; `registry` and `identities` must outlive it. agent/decisions/0020 and 0021 say why it is so.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/identity/identity_table.h"
#include "agent/ingest/ingest_metrics.h"
#include "agent/ingest/intake.h"
#include "agent/ingest/merger.h"
#include "agent/ingest/receiver.h"
#include "agent/ingest/settings.h"
#include "agent/metrics/registry.h"

namespace connscope::ingest {

class Ingest {
 public:
  using Time = Accumulator::Time;

  /// Reads the section, whose problems go to its document, and registers families.
  static Result<std::unique_ptr<Ingest>> create(const config::Section& section, metrics::Registry& registry,
                                                identity::IdentityTable& identities);
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;
  ~Ingest() = default;

  /// Binds the sockets and starts the thread; nothing when the config switches it off.
  Status start();
  /// To be called when the rules of `identities` have changed: senders are looked at anew, as the rules want it.
  void follow_rules();
  /// Takes no more lines than those that are here already; one more collect() has them all.
  void finish();
  /// Brings what came since the last time into the registry.
  void collect(Time now);
  /// What the log should say of lines that were refused: for each reason at most one message a minute.
  [[nodiscard]] std::vector<std::string> take_messages() { return std::exchange(messages_, {}); }
  /// Reports what a reload cannot change, which is all of the section.
  void check_reload(const config::Section& section) const;

 private:
  struct Complaint {
    std::uint64_t lines = 0;  // since the last message
    Time told{};
  };
  Ingest(Settings settings, metrics::Registry& registry, identity::IdentityTable& identities, IngestMetrics shown);
  void complain(const Taken& taken, Time now);

  Settings settings_;
  identity::IdentityTable& identities_;
  IngestMetrics shown_;
  Merger merger_;
  Intake intake_;
  std::unique_ptr<Receiver> receiver_;  // after what its thread uses
  ByRefusal<Complaint> complaints_{};
  std::vector<std::string> messages_;
};

}  // namespace connscope::ingest
