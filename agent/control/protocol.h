// SPDX-License-Identifier: Apache-2.0
//
// The words of the control socket, which both ends need. A connection is one request and its answer: the client writes
// one line, a JSON object whose "command" names what it wants, and the agent writes lines, each a JSON object, of which
// the last says how it went:
//
//   > {"command":"show","pattern":"*.n.cn.*"}
//   < {"id":"curl.n.cn.tcp", ...}
//   < {"ok":true}                                  or {"error":"what is wrong; what is allowed"}
//
// An answer without such a last line was cut off.
#pragma once

#include <cstddef>

namespace connscope::control {

inline constexpr const char* kDefaultPath = "/run/connscope/control.sock";

/// What the address of a unix socket has room for, less the NUL byte (unix(7)).
inline constexpr std::size_t kMaxPathBytes = 107;

inline constexpr const char* kCommandKey = "command";
inline constexpr const char* kOkKey = "ok";
inline constexpr const char* kErrorKey = "error";

/// A request longer than this is refused.
inline constexpr std::size_t kMaxRequestBytes = 64U << 10U;
/// A client refuses an answer with a line longer than this: it talks to something else.
inline constexpr std::size_t kMaxAnswerLineBytes = 4U << 20U;

}  // namespace connscope::control
