// SPDX-License-Identifier: Apache-2.0
//
// netstat: counters of the network protocols. Sources: /proc/net/netstat and /proc/net/snmp, which have pairs of lines
// "PROTOCOL: NAMES…" and "PROTOCOL: NUMBERS…", and /proc/net/snmp6, which has "PROTOCOLNAME NUMBER" (proc_pid_net(5)).
// Some of them can fall, and the kernel does not say which: all are untyped.
#include <array>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::netstat {
namespace {

class Netstat final : public Collector {
 public:
  explicit Netstat(Filter fields) : Collector("netstat"), fields_(std::move(fields)), table_(add_table({})) {}

 private:
  Status read(Kernel& kernel) override {
    table_.row({});
    for (const char* file : {"net/netstat", "net/snmp"}) {
      const Content content = kernel.read(Root::kProc, {file});
      if (!content) {
        if (auto outcome = absent_or_error(content, file); !outcome) return outcome;
        continue;
      }
      if (auto outcome = take_pairs(content.text, file); !outcome) return outcome;
    }
    const Content content = kernel.read(Root::kProc, {"net/snmp6"});
    return content ? take_ipv6(content.text) : absent_or_error(content, "net/snmp6");
  }

  Status take_pairs(std::string_view rest, const char* file) {
    while (!rest.empty()) {
      std::string_view names = take_line(rest);
      const std::string_view line = take_line(rest);
      std::string_view values = line;
      const std::string_view protocol = take_until(names, ':');
      if (take_until(values, ':') != protocol) return malformed(file, line);
      for (auto name = take_field(names); !name.empty(); name = take_field(names))
        if (!take_value(protocol, name, take_field(values))) return malformed(file, line);
      if (!take_field(values).empty()) return malformed(file, line);
    }
    return {};
  }

  Status take_ipv6(std::string_view rest) {
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      const Fields<3> fields(line);
      // "Ip6InReceives": the protocol ends at its 6.
      const std::size_t six = fields[0].find('6');
      if (fields.size() != 2) return malformed("net/snmp6", line);
      if (six == std::string_view::npos) continue;
      if (!take_value(fields[0].substr(0, six + 1), fields[0].substr(six + 1), fields[1]))
        return malformed("net/snmp6", line);
    }
    return {};
  }

  bool take_value(std::string_view protocol, std::string_view name, std::string_view text) {
    const auto count = to_number(text);
    const auto number = to_integer(text);  // Tcp_MaxConn may be -1
    if (!count && !number) return false;
    field_.assign(protocol).append("_").append(name);
    if (!fields_.passes(field_)) return true;
    const std::size_t column = table_.column_for(field_, [this] {
      return Column{"node_netstat_" + field_, "The protocols' statistic " + field_ + ".", kUntyped};
    });
    if (count) {
      table_.set(column, *count);
    } else {
      table_.set(column, *number);
    }
    return true;
  }

  Filter fields_;
  Table& table_;
  std::string field_;  // reused
};

constexpr std::array kFlags = {Flag{
    "collector.netstat.fields",
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|"
    "Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|"
    "PassiveOpens|RetransSegs|CurrEstab|MaxConn)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
    "Fields to serve, as PROTOCOL_NAME"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  auto fields = flags.include("collector.netstat.fields");
  if (!fields) return fields.error();
  return std::unique_ptr<Collector>(std::make_unique<Netstat>(std::move(*fields)));
}

}  // namespace

extern const CollectorType kType{"netstat", true, make, kFlags};

}  // namespace connscope::host::collectors::netstat
