// SPDX-License-Identifier: Apache-2.0
//
// BadReceiver: a TCP server on loopback that takes connections and behaves badly, for tests of what sends to servers.
// It has a thread of its own, which ends with it. What was received may be asked for from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/unique_fd.h"

namespace connscope::testing {

enum class Behaviour {
  kHang,     ///< takes what comes, and neither answers nor closes
  kSink,     ///< takes what comes, and closes when the other side has
  kReset,    ///< resets the connection after the first bytes
  kGarbage,  ///< answers with bytes that are no protocol's
  kEndless,  ///< an answer of HTTP that never ends
  kAnswer,   ///< answers each request with `answer`, and closes
};

class BadReceiver {
 public:
  explicit BadReceiver(Behaviour behaviour, std::string answer = {});
  BadReceiver(const BadReceiver&) = delete;
  BadReceiver& operator=(const BadReceiver&) = delete;
  ~BadReceiver();

  [[nodiscard]] std::string port() const;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port(); }
  void behave(Behaviour behaviour, std::string answer = {});
  /// All that has come, connection by connection.
  [[nodiscard]] std::vector<std::string> received() const;

 private:
  void run();
  void serve(const UniqueFd& connection);
  void hang() const;
  [[nodiscard]] Behaviour behaviour() const;

  UniqueFd listener_;
  mutable std::mutex mutex_;
  Behaviour behaviour_;
  std::string answer_;
  std::vector<std::string> received_;
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
};

}  // namespace connscope::testing
