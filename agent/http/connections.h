// SPDX-License-Identifier: Apache-2.0
//
// Connections: the open connections of one event loop, in the order of their last activity. When there are more than
// the limit, the one that has been quiet longest is shut down; so clients that hold connections open and send nothing,
// half a request, or read nothing, lose their place to those that come after them, and need no short time-outs.
// Only the event loop's thread calls.
#pragma once

#include <cstddef>
#include <list>

namespace connscope::http {

class Connections {
 public:
  struct Entry {
    int fd = -1;           ///< not owned
    bool working = false;  ///< its handler runs: neither quiet nor its client's fault
    bool leaving = false;  ///< shut down, waits for the event loop to close it
    std::list<Entry>::iterator self;
  };

  explicit Connections(std::size_t limit) : limit_(limit) {}

  /// Adds a connection, and makes room when there are too many. The entry's address is stable until remove().
  Entry* add(int fd);
  void remove(Entry& entry);
  /// Something happened: the connection is the last in line again.
  void touch(Entry& entry, bool working);

 private:
  void make_room();

  std::size_t limit_;
  std::size_t leaving_ = 0;
  std::list<Entry> entries_;  // the longest quiet first
};

}  // namespace connscope::http
