// SPDX-License-Identifier: Apache-2.0
//
// tcpstat: TCP sockets by state, and what waits in their queues. Sources: /proc/net/tcp and tcp6 (proc_pid_net(5)):
// the fourth field is the state (include/net/tcp_states.h), the fifth TX:RX, all hexadecimal.
#include <array>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::tcpstat {
namespace {

constexpr auto kStates =
    std::to_array<std::string_view>({"established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait",
                                     "close", "close_wait", "last_ack", "listen", "closing", "new_syn_recv"});

class Tcpstat final : public Collector {
 public:
  Tcpstat()
      : Collector("tcpstat"),
        table_(add_table({"state"}, {{"node_tcp_connection_states", "TCP sockets by state, and bytes that wait."}})) {}

 private:
  using Counts = std::array<std::uint64_t, kStates.size()>;

  Status read(Kernel& kernel) override {
    Counts counts{};
    queued_sent_ = queued_received_ = 0;
    for (const char* file : {"net/tcp", "net/tcp6"}) {
      const Content content = kernel.read(Root::kProc, {file});
      const Status outcome = content ? take(content.text, file, counts) : absent_or_error(content, file);
      if (!outcome) return outcome;
    }
    for (std::size_t i = 0; i < kStates.size(); ++i)
      if (counts[i] != 0) show(kStates[i], counts[i]);
    show("rx_queued_bytes", queued_received_);
    show("tx_queued_bytes", queued_sent_);
    return {};
  }

  Status take(std::string_view rest, const char* file, Counts& counts) {
    take_line(rest);  // the heading
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<5> fields(line);
      std::string_view queues = fields[4];
      const auto state = to_number(fields[3], 16);
      const auto sent = to_number(take_until(queues, ':'), 16);
      const auto received = to_number(queues, 16);
      if (!state || !sent || !received || *state == 0 || *state > kStates.size()) return malformed(file, line);
      ++counts[*state - 1];
      queued_sent_ += *sent;
      queued_received_ += *received;
    }
    return {};
  }

  void show(std::string_view state, std::uint64_t value) {
    table_.row({state});
    table_.set(0, value);
  }

  Table& table_;
  std::uint64_t queued_sent_ = 0;
  std::uint64_t queued_received_ = 0;
};

}  // namespace

extern const CollectorType kType{"tcpstat", false, make_plain<Tcpstat>};

}  // namespace connscope::host::collectors::tcpstat
