// SPDX-License-Identifier: Apache-2.0
//
// ReportExporter: what carries reports to one place (FEATURES P13): a log, a StatsD server, a database. It is made from
// its own section of the config, opens nothing before it sends, and is owned by a PushLoop, on whose thread alone
// send() is called: it may block there, but for no longer than kMaxBlocking, so that the agent's end does not wait for
// a receiver that hangs. There are two sorts: most are named by policies and get what these gather; others have an
// interval of their own and get whole snapshots, as a scrape would (Report::snapshot). Some of these keep what they get
// in a queue of their own, which outlives the agent (KeptReports).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/document.h"
#include "agent/metrics/report.h"

namespace connscope::exporters {

/// How a report has gone. What was sent before an error counts as sent.
struct Sent {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t refused = 0;  ///< values that the format cannot say, or that are too long for a packet
  Status status;
  /// With an error: the same report may be sent again, not sooner than after this time, and what of it has arrived
  /// already does no harm.
  std::optional<std::chrono::milliseconds> retry_after{};
  std::uint64_t finished = 0;  ///< by KeptReports alone: reports of which nothing is left to send
  std::uint64_t dropped = 0;   ///< likewise: reports that are lost, since the queue is full or damaged
};

/// The queue of an exporter whose send() keeps reports instead of sending them. The push loop gives it each report at
/// once, whether the receiver is down or not, and has it forward what it keeps whenever a try is due. The push loop's
/// thread alone.
class KeptReports {
 public:
  virtual ~KeptReports() = default;
  /// Sends one request of the oldest report. An error without retry_after: that request is given up.
  virtual Sent forward() = 0;
  /// Reports of which something is left to send.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
};

class ReportExporter {
 public:
  /// The most that the config may allow an exporter for one report.
  static constexpr std::chrono::seconds kMaxBlocking{10};

  virtual ~ReportExporter() = default;
  virtual Sent send(const metrics::Report& report) = 0;
  /// Where send() puts reports; nullptr: it sends them.
  [[nodiscard]] virtual KeptReports* kept() { return nullptr; }
  /// Another one, from another config, takes its place after this call; called by the new one's loop before its first
  /// send(). What is known of the receiver may be kept.
  virtual void take_over(ReportExporter& /*previous*/) {}
};

/// What exporters may use of the agent.
struct ExporterServices {
  /// Writes one line to the agent's log; any thread.
  std::function<void(std::string_view line)> log;
};

/// An exporter as the config has it.
struct ConfiguredExporter {
  std::string name;          ///< what policies call it
  bool accumulates = false;  ///< its reports go on from one to the next; otherwise each begins anew
  /// Set: it gets a snapshot so often, and no policy's reports.
  std::optional<std::chrono::milliseconds> snapshot_interval{};
  bool wants_each_snapshot = false;  ///< with an interval: otherwise only the newest is worth sending
  std::unique_ptr<ReportExporter> exporter;
};

/// Reads [exporter.NAME] for each kind of exporter that this build has, whether the file has the section or not, and
/// for each other NAME whose `type` is one of these. Kinds that take snapshots are there when the file has them, since
/// nobody else says when they send. Problems go to the document.
[[nodiscard]] std::vector<ConfiguredExporter> make_report_exporters(const config::Section& root,
                                                                    const ExporterServices& services);

/// `timeout` of an exporter's section: for one report, or one request of it. Problems go to the document.
[[nodiscard]] std::chrono::milliseconds parse_timeout(const config::Section& section);

}  // namespace connscope::exporters
