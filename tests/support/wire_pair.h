// SPDX-License-Identifier: Apache-2.0
//
// WirePair: two ends of a TCP connection over loopback, both of this process, that say what they are told. What one
// side sends in one call is one segment, and has reached the other side when the call returns. Neither side knows
// anything of TLS. One thread.
#pragma once

#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

class WirePair {
 public:
  enum class Opening {
    kPlain,
    kIpv6,
    kDeferred,  ///< the server's socket is made by the first data, so those come to its listener
  };
  static Result<WirePair> open(Opening opening = Opening::kPlain);

  Status client_sends(const std::string& bytes);
  Status server_sends(const std::string& bytes);
  /// Sends each of `parts` as a segment of its own.
  Status client_sends_each(const std::vector<std::string>& parts);
  Status server_sends_each(const std::vector<std::string>& parts);

  /// Closes one side, with a FIN or a RST; the other side has seen that when it returns.
  Status close_client() { return close(client_, server_, false); }
  Status close_server() { return close(server_, client_, false); }
  Status reset_client() { return close(client_, server_, true); }
  Status reset_server() { return close(server_, client_, true); }

 private:
  Status accept();
  static Status close(UniqueFd& side, const UniqueFd& other, bool with_reset);

  UniqueFd listener_;
  UniqueFd client_;
  UniqueFd server_;
};

/// `bytes` in parts of `size`.
std::vector<std::string> cut(const std::string& bytes, std::size_t size);

}  // namespace connscope::testing
