// SPDX-License-Identifier: Apache-2.0
#include "exporters/packet_writer.h"

namespace connscope::exporters {

void PacketWriter::add(std::string_view group) {
  if (group.size() > max_bytes_) {
    ++refused_;
    return;
  }
  if (!packet_.empty() && packet_.size() + 1 + group.size() > max_bytes_) flush();
  if (!packet_.empty()) packet_ += '\n';
  packet_ += group;
}

void PacketWriter::flush() {
  if (!packet_.empty() && status_) {
    status_ = send_(packet_);
    if (status_) {
      ++packets_;
      bytes_ += packet_.size();
    }
  }
  packet_.clear();
}

}  // namespace connscope::exporters
