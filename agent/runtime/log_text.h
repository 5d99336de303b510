// SPDX-License-Identifier: Apache-2.0
//
// How messages are made safe for a line of the log: they may have names from the network or from other processes in
// them, which must not forge entries or control a terminal. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace connscope::runtime {

/// The message for people: control characters and bytes that are not UTF-8 as \xNN. Line ends stay, and
/// `continuation` is put after each, so that what follows is seen to belong to the entry; line ends at the end go.
[[nodiscard]] std::string log_text(std::string_view message, std::string_view continuation);

/// The message as a JSON string (RFC 8259 section 7), with its quotes. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view message);

}  // namespace connscope::runtime
