// SPDX-License-Identifier: Apache-2.0
//
// Connection: what is told of one failure, of one outlier, or of one attempt that has ended: the detail that no series
// has, for people who ask "which one was it?". A plain value; its texts are its own, but for `reason`, which lives for
// ever.
//
// Detail may be lost, and then is counted as lost (connscope_lost_events_total{cause="detail_full"}); what is counted
// in the families never is. Peers and names of hosts are in here: who shows them decides who may see them (FEATURES
// D17).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connscope::detail {

/// What a duration is of. In the order of enum detail_metric (bpf/detail/detail.h).
enum class Metric : std::uint8_t {
  kLookup,   ///< n.cn.dns: a look-up of the C library, as its program waits for it
  kQuery,    ///< n.cn.adns: a DNS query on the wire
  kConnect,  ///< n.cn.tcp: from the first SYN to established, or to failure
  kLife,     ///< of an established connection; without an id
  kTls,      ///< n.cn.tls: a handshake
  kAttempt,  ///< n.ss.conn: look-up, connects and handshake of one use
};
inline constexpr std::size_t kMetrics = 6;

/// Which part of connecting that is; the label `stage`. An attempt's is `attempt`, whatever it failed in.
enum class Stage : std::uint8_t { kDns, kTcp, kTls, kAttempt };

enum class Role : std::uint8_t { kClient, kServer };

/// Why a Connection is told, which may be for several reasons at once. An attempt that fails is none of kFailure: what
/// it failed in is told on its own, so that each failure is told exactly once.
enum Kind : std::uint8_t { kFailure = 1, kOutlier = 2, kAttempt = 4 };
using Kinds = std::uint8_t;

struct Connection {
  std::chrono::system_clock::time_point time;  ///< when it ended
  Kinds kinds = 0;
  std::string process;    ///< the label `process`
  std::string exe;        ///< path of the executable; empty when it is not known
  std::uint32_t pid = 0;  ///< thread group in the first pid namespace; 0: not known, as it began when nobody listened
  Role role = Role::kClient;
  Stage stage = Stage::kTcp;
  Metric metric = Metric::kConnect;
  bool ok = true;
  std::string_view reason;  ///< as in conn_failures_total; of an attempt: of what failed last; empty when ok
  std::uint64_t duration_ns = 0;
  /// The parts of an attempt that are known, and that of the stage itself.
  std::optional<std::uint64_t> dns_ns, tcp_ns, tls_ns;
  std::string peer;  ///< "192.0.2.1:443", "[2001:db8::1]:443"; of stage dns: the server; empty when it is not known
  std::string host;  ///< the name that was looked up, or that TLS sent; may be cut; empty when it is not known
  std::uint64_t mean_ns = 0;  ///< of an outlier: what it deviates from
};

/// "n.cn.tcp"; empty where there is none.
[[nodiscard]] std::string_view id_of(Metric metric);
/// The metric with that id.
[[nodiscard]] std::optional<Metric> metric_of(std::string_view id);
/// "dns", "tcp", "tls", "attempt".
[[nodiscard]] std::string_view name_of(Stage stage);
/// "client", "server".
[[nodiscard]] std::string_view name_of(Role role);

}  // namespace connscope::detail
