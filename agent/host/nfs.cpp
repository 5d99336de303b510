// SPDX-License-Identifier: Apache-2.0
//
// nfs: what this host does as a client of NFS. Source: /proc/net/rpc/nfs (fs/nfs/client.c, net/sunrpc/stats.c):
// "net PACKETS UDP TCP CONNECTIONS", "rpc CALLS RETRANSMITS AUTHREFRESHES", "procV COUNT NUMBER…" of each procedure.
#include <array>
#include <span>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::nfs {
namespace {

constexpr const char* kFile = "net/rpc/nfs";
constexpr std::size_t kMaxFields = 96;
using Line = Fields<kMaxFields>;

// In the order of the protocols (RFC 1094, RFC 1813) and of the kernel's own numbers for version 4
// (include/linux/nfs4.h).
constexpr auto kVersion2 = std::to_array<std::string_view>({"Null", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink",
                                                            "Read", "WrCache", "Write", "Create", "Remove", "Rename",
                                                            "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat"});
constexpr auto kVersion3 = std::to_array<std::string_view>(
    {"Null",    "GetAttr",     "SetAttr", "Lookup", "Access",   "ReadLink", "Read",   "Write",
     "Create",  "MkDir",       "SymLink", "MkNod",  "Remove",   "RmDir",    "Rename", "Link",
     "ReadDir", "ReadDirPlus", "FsStat",  "FsInfo", "PathConf", "Commit"});
constexpr auto kVersion4 = std::to_array<std::string_view>({"Null",
                                                            "Read",
                                                            "Write",
                                                            "Commit",
                                                            "Open",
                                                            "OpenConfirm",
                                                            "OpenNoattr",
                                                            "OpenDowngrade",
                                                            "Close",
                                                            "Setattr",
                                                            "FsInfo",
                                                            "Renew",
                                                            "SetClientID",
                                                            "SetClientIDConfirm",
                                                            "Lock",
                                                            "Lockt",
                                                            "Locku",
                                                            "Access",
                                                            "Getattr",
                                                            "Lookup",
                                                            "LookupRoot",
                                                            "Remove",
                                                            "Rename",
                                                            "Link",
                                                            "Symlink",
                                                            "Create",
                                                            "Pathconf",
                                                            "StatFs",
                                                            "ReadLink",
                                                            "ReadDir",
                                                            "ServerCaps",
                                                            "DelegReturn",
                                                            "GetACL",
                                                            "SetACL",
                                                            "FsLocations",
                                                            "ReleaseLockowner",
                                                            "Secinfo",
                                                            "FsidPresent",
                                                            "ExchangeID",
                                                            "CreateSession",
                                                            "DestroySession",
                                                            "Sequence",
                                                            "GetLeaseTime",
                                                            "ReclaimComplete",
                                                            "LayoutGet",
                                                            "GetDeviceInfo",
                                                            "LayoutCommit",
                                                            "LayoutReturn",
                                                            "SecinfoNoName",
                                                            "TestStateID",
                                                            "FreeStateID",
                                                            "GetDeviceList",
                                                            "BindConnToSession",
                                                            "DestroyClientID",
                                                            "Seek",
                                                            "Allocate",
                                                            "DeAllocate",
                                                            "LayoutStats",
                                                            "Clone"});

struct Version {
  std::string_view line;
  std::string_view number;
  std::span<const std::string_view> procedures;
};
constexpr std::array kVersions = {Version{"proc2", "2", kVersion2}, Version{"proc3", "3", kVersion3},
                                  Version{"proc4", "4", kVersion4}};

class Nfs final : public Collector {
 public:
  Nfs()
      : Collector("nfs"),
        packets_(add_table({"protocol"}, {{"node_nfs_packets_total", "Packets of NFS by protocol.", kCounter}})),
        table_(add_table({}, {{"node_nfs_connections_total", "TCP connections to servers.", kCounter},
                              {"node_nfs_rpcs_total", "Calls to servers.", kCounter},
                              {"node_nfs_rpc_retransmissions_total", "Calls sent again.", kCounter},
                              {"node_nfs_rpc_authentication_refreshes_total", "Credentials refreshed.", kCounter}})),
        requests_(add_table({"proto", "method"},
                            {{"node_nfs_requests_total", "Calls by version and procedure.", kCounter}})) {}

 private:
  Status read(Kernel& kernel) override {
    const Content content = kernel.read(Root::kProc, {kFile});
    if (!content) return absent_or_error(content, kFile);
    table_.row({});
    std::string_view rest = content.text;
    while (!rest.empty()) {
      const std::string_view line = take_line(rest);
      if (!take(Line(line))) return malformed(kFile, line);
    }
    return {};
  }

  bool take(const Line& fields) {
    for (std::size_t i = 1; i < fields.size(); ++i)
      if (!to_number(fields[i])) return false;
    if (fields[0] == "net") return take_net(fields);
    if (fields[0] == "rpc") return take_rpc(fields);
    for (const Version& version : kVersions)
      if (fields[0] == version.line) take_procedures(fields, version);
    return true;
  }

  bool take_net(const Line& fields) {
    if (fields.size() < 5) return false;
    packets_.row({"udp"});
    packets_.set(0, *to_number(fields[2]));
    packets_.row({"tcp"});
    packets_.set(0, *to_number(fields[3]));
    table_.set(0, *to_number(fields[4]));
    return true;
  }

  bool take_rpc(const Line& fields) {
    if (fields.size() < 4) return false;
    for (std::size_t i = 1; i < 4; ++i) table_.set(i, *to_number(fields[i]));
    return true;
  }

  void take_procedures(const Line& fields, const Version& version) {
    for (std::size_t i = 0; i < version.procedures.size() && i + 2 < fields.size(); ++i) {
      requests_.row({version.number, version.procedures[i]});
      requests_.set(0, *to_number(fields[i + 2]));
    }
  }

  Table& packets_;
  Table& table_;
  Table& requests_;
};

}  // namespace

extern const CollectorType kType{"nfs", true, make_plain<Nfs>};

}  // namespace connscope::host::collectors::nfs
