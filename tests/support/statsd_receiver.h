// SPDX-License-Identifier: Apache-2.0
//
// A receiver of StatsD datagrams on a unix socket, with a thread of its own, so that its sender never waits. It adds
// counters up and keeps the last of each gauge. Its methods may be called from one other thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

class StatsdReceiver {
 public:
  static Result<std::unique_ptr<StatsdReceiver>> bind(const std::string& path);
  StatsdReceiver(const StatsdReceiver&) = delete;
  StatsdReceiver& operator=(const StatsdReceiver&) = delete;
  ~StatsdReceiver();

  /// The sum of all that came for that counter.
  [[nodiscard]] double counter(const std::string& name) const;
  /// The last value of that gauge; 0 when none came.
  [[nodiscard]] double gauge(const std::string& name) const;
  /// How many datagrams had a line with that name.
  [[nodiscard]] std::size_t packets_with(const std::string& name) const;
  [[nodiscard]] std::size_t packets() const;

 private:
  StatsdReceiver(UniqueFd socket, UniqueFd stop);
  void run();
  void take(std::string_view packet);
  void take_line(std::string_view line);

  UniqueFd socket_;
  UniqueFd stop_;
  mutable std::mutex mutex_;
  std::map<std::string, double> counters_;
  std::map<std::string, double> gauges_;
  std::map<std::string, std::size_t> packets_with_;
  std::size_t packets_ = 0;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace connscope::testing
