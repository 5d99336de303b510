// SPDX-License-Identifier: Apache-2.0
//
// Receiver: the thread that reads packets of both sockets, finds out who sent them, and adds their lines to the Intake.
// It reads many packets a system call, and looks at processes while it holds no lock. Owns the sockets; start and
// destruction belong to one thread. Source: recvmmsg(2), unix(7) on SCM_CREDENTIALS.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/ingest/intake.h"
#include "agent/ingest/senders.h"
#include "agent/ingest/sockets.h"

namespace connscope::ingest {

class Receiver {
 public:
  struct Sockets {
    UnixSocket unix_socket;
    UniqueFd udp;  ///< none when it is switched off
  };
  /// `intake` must outlive it, and so must what `senders` asks.
  static Result<std::unique_ptr<Receiver>> start(Sockets sockets, Intake& intake, Senders senders);

  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() { finish(); }
  /// Ends the thread, once it has read what is queued in the sockets by now. What comes later is lost.
  void finish();

  /// What the kernel has dropped so far, since the queue was full. Any thread.
  [[nodiscard]] std::uint64_t dropped_unix() const { return dropped_by_kernel(sockets_.unix_socket.fd()); }
  [[nodiscard]] std::uint64_t dropped_udp() const { return sockets_.udp ? dropped_by_kernel(sockets_.udp.get()) : 0; }

 private:
  Receiver(Sockets sockets, UniqueFd stop) : sockets_(std::move(sockets)), stop_(std::move(stop)) {}
  void run(Intake& intake, Senders senders) const;

  Sockets sockets_;
  UniqueFd stop_;
  std::thread thread_;
};

}  // namespace connscope::ingest
