// SPDX-License-Identifier: Apache-2.0
#include "agent/http/connections.h"

#include <sys/socket.h>

#include <algorithm>

namespace connscope::http {

Connections::Entry* Connections::add(int fd) {
  entries_.emplace_back();
  Entry& entry = entries_.back();
  entry.fd = fd;
  entry.self = std::prev(entries_.end());
  make_room();
  return &entry;
}

void Connections::remove(Entry& entry) {
  if (entry.leaving) --leaving_;
  entries_.erase(entry.self);
}

void Connections::touch(Entry& entry, bool working) {
  entry.working = working;
  entries_.splice(entries_.end(), entries_, entry.self);
}

void Connections::make_room() {
  if (entries_.size() - leaving_ <= limit_) return;
  const auto newest = std::prev(entries_.end());
  const auto quiet =
      std::find_if(entries_.begin(), newest, [](const Entry& entry) { return !entry.working && !entry.leaving; });
  if (quiet == newest) return;
  quiet->leaving = true;
  ++leaving_;
  ::shutdown(quiet->fd, SHUT_RDWR);  // the event loop sees the end of the stream and closes it
}

}  // namespace connscope::http
