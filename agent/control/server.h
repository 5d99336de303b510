// SPDX-License-Identifier: Apache-2.0
//
// The control socket: commands that people and scripts give to the running agent, and its answers (protocol.h has the
// form). Boxes register their commands by name. Whoever asks must be root or the agent's own user.
//
// Server has one descriptor for the event loop, which is readable when something is to be done, and it never blocks:
// what a client does not read waits in a bounded buffer, long answers are made as they are read, and a stream that is
// not read is dropped with a message. There are kMaxClients at most; the one that has kept a place for longest without
// reading or writing gives it to a new one, unless it is a stream. The main thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/control/commands.h"

namespace connscope::control {

/// What has happened since the start.
struct ServerCounts {
  std::uint64_t requests = 0;      ///< that a handler was called for
  std::uint64_t refused = 0;       ///< not the user, no room, or no request of ours
  std::uint64_t slow_readers = 0;  ///< clients that were dropped because they did not read
  std::uint64_t displaced = 0;     ///< clients that did nothing while others waited for a place
};

class Server {
 public:
  static constexpr std::size_t kMaxClients = 32;

  /// Listens at `path` from now on. Errors name the path.
  static Result<std::unique_ptr<Server>> create(const std::string& path);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Tells the clients that the agent stops, and removes the socket's file.
  ~Server();

  /// What the handler uses must outlive the server.
  void add(const std::string& command, Handler handler) { commands_.add(command, std::move(handler)); }

  /// Readable when serve() has something to do.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  void serve();

  [[nodiscard]] const ServerCounts& counts() const { return counts_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Client;
  Server(std::string path, UniqueFd listener, UniqueFd epoll);
  void accept_all();
  void admit(UniqueFd socket);
  bool make_room();
  void serve_client(int fd, std::uint32_t events);
  void read(Client& client);
  void settle(Client& client);
  void remove(int fd);

  std::string path_;
  dev_t device_ = 0;  // of the socket's file, so that another's is not removed
  ino_t inode_ = 0;
  UniqueFd listener_;
  UniqueFd epoll_;
  Commands commands_;
  ServerCounts counts_;  // which the clients count into
  std::map<int, Client> clients_;
  std::uint64_t turn_ = 0;
};

}  // namespace connscope::control
