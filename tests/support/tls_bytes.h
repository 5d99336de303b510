// SPDX-License-Identifier: Apache-2.0
//
// Bytes of TLS records and messages, put together by hand: good ones, and as wrong as a test wants them. Nothing is
// encrypted: what a real peer would hide is random-looking bytes of the right length.
//
// No state; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace connscope::testing::tls {

inline constexpr unsigned kTls12 = 0x0303;
inline constexpr unsigned kTls13 = 0x0304;
inline constexpr unsigned kAes128Gcm = 0x1301;
inline constexpr unsigned kEcdheRsaAes128Gcm = 0xc02f;

/// `value` in `bytes` bytes, the highest first.
inline std::string number(std::size_t value, unsigned bytes = 2) {
  std::string text;
  for (unsigned i = bytes; i-- > 0;) text += static_cast<char>(value >> 8U * i);
  return text;
}
/// `content` with its length before it.
inline std::string sized(const std::string& content, unsigned bytes = 2) {
  return number(content.size(), bytes) + content;
}

inline std::string record(unsigned type, const std::string& content, unsigned version = kTls12) {
  return static_cast<char>(type) + number(version) + sized(content);
}
inline std::string message(unsigned type, const std::string& body) { return static_cast<char>(type) + sized(body, 3); }
inline std::string extension(unsigned type, const std::string& body) { return number(type) + sized(body); }

struct Hello {
  std::string server_name = {};  ///< of a client; empty: none
  unsigned version = kTls13;     ///< of a server
  unsigned cipher = kAes128Gcm;
  std::string session_id = std::string(32, '\x5e');
  std::string extensions = {};  ///< beside those that are made of the rest
  bool is_retry = false;
  bool has_extensions = true;
};

inline std::string server_name_extension(const std::string& name) { return extension(0, sized('\0' + sized(name))); }

/// The ClientHello, without a record.
inline std::string client_hello(const Hello& hello = {}) {
  std::string extensions = extension(10, sized(number(29)));
  if (!hello.server_name.empty()) extensions += server_name_extension(hello.server_name);
  extensions += extension(43, sized(number(kTls13) + number(kTls12), 1)) + hello.extensions;
  return message(1, number(kTls12) + std::string(32, '\x71') + sized(hello.session_id, 1) +
                        sized(number(kAes128Gcm) + number(kEcdheRsaAes128Gcm)) + sized(std::string(1, '\0'), 1) +
                        (hello.has_extensions ? sized(extensions) : std::string()));
}

/// The ServerHello, without a record.
inline std::string server_hello(const Hello& hello = {}) {
  static constexpr std::string_view kRetry =
      "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2"
      "\xc8\xa8\x33\x9c";
  std::string extensions;
  if (hello.version == kTls13) extensions = extension(43, number(kTls13)) + extension(51, std::string(36, '\x11'));
  extensions += hello.extensions;
  return message(2, number(hello.version < kTls12 ? hello.version : kTls12) +
                        (hello.is_retry ? std::string(kRetry) : std::string(32, '\x72')) + sized(hello.session_id, 1) +
                        number(hello.cipher) + '\0' + (hello.has_extensions ? sized(extensions) : std::string()));
}
/// What says in a ServerHello that a key from before is used.
inline std::string pre_shared_key() { return extension(41, number(0)); }

inline std::string handshake(const std::string& messages) { return record(22, messages); }
inline std::string alert(unsigned description, unsigned level = 2) {
  return record(21, {static_cast<char>(level), static_cast<char>(description)});
}
inline std::string change_cipher_spec() { return record(20, "\x01"); }
/// A record of TLS 1.3 that cannot be read, of so many bytes.
inline std::string hidden(std::size_t bytes) { return record(23, std::string(bytes, '\xa5')); }
/// The lengths that tell something: with a hash of 256 bits and a tag of 128.
inline std::string hidden_finished() { return hidden(53); }
inline std::string hidden_alert() { return hidden(19); }

/// Up to TLS 1.2: the hidden Finished, with the ChangeCipherSpec before it.
inline std::string finished_12() { return change_cipher_spec() + record(22, std::string(40, '\xa6')); }
/// Certificate, ServerKeyExchange and ServerHelloDone of a server that speaks TLS 1.2.
inline std::string server_flight_12() {
  return handshake(server_hello({.version = kTls12, .cipher = kEcdheRsaAes128Gcm})) +
         handshake(message(11, sized(sized(std::string(700, '\x30'), 3), 3))) +
         handshake(message(12, std::string(300, '\x0c')) + message(14, ""));
}
inline std::string client_key_exchange() { return handshake(message(16, std::string(66, '\x10'))); }
/// ServerHello and the hidden rest of a server that speaks TLS 1.3.
inline std::string server_flight_13(const Hello& hello = {}) {
  return handshake(server_hello(hello)) + change_cipher_spec() + hidden(27) + hidden(900) + hidden(281) +
         hidden_finished();
}

}  // namespace connscope::testing::tls
