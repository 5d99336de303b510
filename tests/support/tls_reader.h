// SPDX-License-Identifier: Apache-2.0
//
// TlsReader: lets the parser of tls_record.h read bytes as the programs do, and says in words what it tells. The bytes
// that come next may be cut anywhere.
#pragma once

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bpf/tls/tls_record.h"

namespace connscope::testing {

class TlsReader {
 public:
  explicit TlsReader(bool wants_name) {
    tls_begin_parser(&parser_);
    parser_.wants_name = wants_name ? 1 : 0;
  }

  /// Stops where no record can begin.
  void read(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size() && !is_lost_;) {
      __u8 place = 0;
      const __u32 taken = tls_next_piece(&parser_, static_cast<__u32>(bytes.size() - at), &place);
      if (place != TLS_PASSED_OVER) std::memcpy(parser_.head + place, bytes.data() + at, taken);
      at += taken;
      longest_ = taken > longest_ && place != TLS_PASSED_OVER ? taken : longest_;
      ++pieces_;
      tell(tls_take_piece(&parser_, taken, name_.data()));
    }
  }

  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }
  [[nodiscard]] tls_parser& parser() { return parser_; }
  /// How many pieces there were, and the longest one that was kept.
  [[nodiscard]] std::size_t pieces() const { return pieces_; }
  [[nodiscard]] std::size_t longest() const { return longest_; }

 private:
  void tell(tls_event event) {
    std::array<char, 64> text{};
    switch (event) {
      case EVENT_NONE:
        return;
      case EVENT_NOT_TLS:
        is_lost_ = true;
        events_.emplace_back("not tls");
        return;
      case EVENT_ALERT:
        std::snprintf(text.data(), text.size(), "alert %d %d", parser_.alert[0], parser_.alert[1]);
        break;
      case EVENT_CHANGE_CIPHER_SPEC:
        events_.emplace_back("change");
        return;
      case EVENT_HIDDEN:
        std::snprintf(text.data(), text.size(), "hidden %d %d", parser_.record_type, parser_.record_bytes);
        break;
      case EVENT_MESSAGE:
        std::snprintf(text.data(), text.size(), "message %d", parser_.message);
        break;
      case EVENT_CERTIFICATE:
        std::snprintf(text.data(), text.size(), "certificate %d", parser_.certificate_bytes);
        break;
    }
    events_.emplace_back(text.data());
    if (event == EVENT_MESSAGE) events_.back() += details();
  }

  /// Of the message that has ended.
  [[nodiscard]] std::string details() const {
    std::array<char, 16> text{};
    if (parser_.message == MESSAGE_CLIENT_HELLO && parser_.name_words > 0) {
      std::array<char, 8 * TLS_NAME_WORDS + 1> name{};
      std::memcpy(name.data(), name_.data(), std::size_t{8} * parser_.name_words);
      return std::string(" ") + name.data();
    }
    if (parser_.message != MESSAGE_SERVER_HELLO) return {};
    std::snprintf(text.data(), text.size(), " %04x %04x", parser_.version, parser_.cipher);
    return text.data() + std::string(parser_.is_retry != 0 ? " retry" : "") +
           (parser_.is_resumed != 0 ? " resumed" : "");
  }

  tls_parser parser_{};
  std::array<__u64, TLS_NAME_WORDS> name_{};
  std::vector<std::string> events_;
  std::size_t pieces_ = 0;
  std::size_t longest_ = 0;
  bool is_lost_ = false;
};

}  // namespace connscope::testing
