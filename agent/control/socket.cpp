// SPDX-License-Identifier: Apache-2.0
#include "agent/control/socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "agent/control/protocol.h"

namespace connscope::control {
namespace {

static_assert(kMaxPathBytes < sizeof(sockaddr_un::sun_path));

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() > kMaxPathBytes) {
    return Error("'" + path + "' is no path of a socket; allowed: 1 to " + std::to_string(kMaxPathBytes) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Status make_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string folder = path.substr(0, slash);
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return Error::from_errno("mkdir " + folder, errno);
  return {};
}

/// Another agent's socket is left alone, and so is every file that is none.
Status remove_abandoned(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return Error(path + " is there and is no socket");
  const auto answered = connect_to(path);
  if (answered) return Error(path + ": another agent listens there; give each its own [control] path");
  if (answered.error().code() != ECONNREFUSED) return answered.error();
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error::from_errno("unlink " + path, errno);
  return {};
}

}  // namespace

Result<UniqueFd> listen_at(const std::string& path, int backlog) {
  const auto address = address_of(path);
  if (!address) return address.error();
  if (auto made = make_folder_of(path); !made) return made.error();
  if (auto removed = remove_abandoned(path); !removed) return removed.error();
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return Error::from_errno("socket", errno);
  // Before bind, so that the file never is for others, not even for a moment.
  if (::fchmod(listener.get(), S_IRUSR | S_IWUSR) != 0) return Error::from_errno("fchmod " + path, errno);
  if (::bind(listener.get(), generic(*address), sizeof(*address)) != 0) return Error::from_errno("bind " + path, errno);
  if (::listen(listener.get(), backlog) != 0) return Error::from_errno("listen " + path, errno);
  return listener;
}

Result<UniqueFd> connect_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection) return Error::from_errno("socket", errno);
  if (::connect(connection.get(), generic(*address), sizeof(*address)) != 0)
    return Error::from_errno("connect " + path, errno);
  return connection;
}

Result<uid_t> peer_user(int connection) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return Error::from_errno("getsockopt SO_PEERCRED", errno);
  return credentials.uid;
}

}  // namespace connscope::control
