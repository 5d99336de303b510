// SPDX-License-Identifier: Apache-2.0
//
// udp_queues: what waits in the queues of UDP sockets. Sources: /proc/net/udp and udp6, a line for each socket, whose
// fifth field is "TX:RX" in hexadecimal (proc_pid_net(5)).
#include <array>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::udp_queues {
namespace {

struct Source {
  std::string_view file;
  std::string_view ip;
};
constexpr auto kSources = std::to_array<Source>({{"net/udp", "v4"}, {"net/udp6", "v6"}});

class UdpQueues final : public Collector {
 public:
  UdpQueues()
      : Collector("udp_queues"),
        table_(add_table({"queue", "ip"}, {{"node_udp_queues", "Bytes in the queues of UDP sockets."}})) {}

 private:
  Status read(Kernel& kernel) override {
    for (const Source& source : kSources) {
      const Content content = kernel.read(Root::kProc, {source.file});
      const Status outcome = content ? take(content.text, source) : absent_or_error(content, source.file);
      if (!outcome) return outcome;
    }
    return {};
  }

  Status take(std::string_view rest, const Source& source) {
    take_line(rest);  // the heading
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      std::string_view queues = Fields<5>(line)[4];
      const auto tx = to_number(take_until(queues, ':'), 16);
      const auto rx = to_number(queues, 16);
      if (!tx || !rx) return malformed(source.file, line);
      sent += *tx;
      received += *rx;
    }
    table_.row({"tx", source.ip});
    table_.set(0, sent);
    table_.row({"rx", source.ip});
    table_.set(0, received);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"udp_queues", true, make_plain<UdpQueues>};

}  // namespace connscope::host::collectors::udp_queues
