// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a DNS message, whole and as the begin of a longer one. The verifier's parser and a plain one,
// which may copy and compare what it likes, must tell the same; what lies behind the bytes makes no difference, and
// neither does the case of letters to the question's hash.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bpf/dns/dns_message.h"

namespace {

using Window = std::array<std::uint8_t, DNS_WINDOW>;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Parsed {
  dns_verdict verdict = DNS_OK;
  dns_message message{};
  bool operator==(const Parsed& other) const {
    return verdict == other.verdict && std::memcmp(&message, &other.message, sizeof message) == 0;
  }
};

Parsed parse(const std::string& bytes, std::size_t whole, int rubbish) {
  Window window;
  std::memset(window.data(), rubbish, window.size());
  std::copy(bytes.begin(), bytes.end(), window.begin());
  Parsed parsed;
  parsed.message.message_bytes = static_cast<std::uint32_t>(whole);
  parsed.verdict = dns_read_header(window.data(), bytes.size(), &parsed.message);
  if (parsed.verdict == DNS_OK) parsed.verdict = dns_read_question(window.data(), bytes.size(), &parsed.message);
  if (parsed.verdict == DNS_OK && parsed.message.is_answer != 0) {
    parsed.verdict = dns_read_records(window.data(), bytes.size(), &parsed.message);
  }
  return parsed;
}

/// Thrown where the bytes end.
struct End {
  std::size_t needed;
};
struct Malformed {};

class Reader {
 public:
  Reader(const std::string& bytes, std::size_t at) : bytes_(bytes), at_(at) {}
  [[nodiscard]] std::size_t at() const { return at_; }
  void skip(std::size_t bytes) { at_ += bytes; }
  std::size_t byte() {
    if (at_ >= bytes_.size()) throw End{at_ + 1};
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }
  std::size_t number() {
    const std::size_t high = byte();
    return high << 8U | byte();
  }
  std::size_t lookahead(std::size_t bytes) {
    if (at_ + bytes > bytes_.size()) throw End{at_ + bytes};
    return bytes;
  }

 private:
  const std::string& bytes_;
  std::size_t at_;
};

struct Plain {
  dns_verdict verdict = DNS_OK;
  bool has_data = false;
  bool is_unfinished = false;
  std::size_t rcode = 0;
  std::size_t type = 0;
  std::string name;
};

void append(Plain& plain, std::size_t byte) {
  plain.name += static_cast<char>(byte);
  if (plain.name.size() > 254) throw Malformed{};
}

void read_question(Reader& reader, Plain& plain) {
  while (const std::size_t length = reader.byte()) {
    if (length > 63) throw Malformed{};
    append(plain, length);
    for (std::size_t i = 0; i < length; ++i) append(plain, reader.byte());
  }
  reader.lookahead(4);
  plain.type = reader.number();
  reader.number();
}

void skip_owner(Reader& reader, int& steps) {
  const std::size_t begin = reader.at();
  for (std::size_t length = 1; length != 0;) {
    if (steps-- == 0) throw End{0};
    length = reader.byte();
    if (length > 63 && length < 192) throw Malformed{};
    if (length >= 192) {
      reader.lookahead(1 + 10);
      const std::size_t target = (length & 63U) << 8U | reader.byte();
      if (target < 12 || target >= begin) throw Malformed{};
      return;
    }
    reader.skip(length);
    if (reader.at() - begin >= 255 && length != 0) throw Malformed{};
  }
}

void read_records(Reader& reader, Plain& plain, const Parsed& parsed, std::size_t whole) {
  int steps = DNS_STEPS;
  const std::size_t answers = parsed.message.answers;
  for (std::size_t record = 0; record < parsed.message.records; ++record) {
    try {
      skip_owner(reader, steps);
      reader.lookahead(10);
      const std::size_t type = reader.number();
      reader.number();
      const std::size_t high = reader.number() >> 8U;
      reader.number();
      reader.skip(reader.number());
      if (reader.at() > whole) throw Malformed{};
      const bool any = plain.type == 0 || (plain.type >= 251 && plain.type <= 255);
      if (record < answers && (any || type == plain.type)) {
        plain.has_data = true;
        return;
      }
      if (record >= answers && type == 41) {
        plain.rcode |= high << 4U;
        return;
      }
    } catch (const End& end) {
      if (end.needed > whole) throw Malformed{};
      plain.is_unfinished = true;
      plain.has_data = record < answers;
      return;
    }
  }
}

Plain parse_plainly(const std::string& bytes, std::size_t whole, const Parsed& parsed) {
  Plain plain;
  plain.rcode = static_cast<std::uint8_t>(bytes[3]) & 15U;
  Reader reader(bytes, 12);
  try {
    if (parsed.message.questions > 1) throw Malformed{};
    if (parsed.message.questions == 1) read_question(reader, plain);
    if (parsed.message.is_answer != 0 && parsed.message.is_truncated == 0) read_records(reader, plain, parsed, whole);
  } catch (const End& end) {
    plain.verdict = end.needed > whole ? DNS_MALFORMED : DNS_SHORT;
  } catch (const Malformed&) {
    plain.verdict = DNS_MALFORMED;
  }
  return plain;
}

void compare(const Parsed& parsed, const Plain& plain) {
  require(parsed.verdict == plain.verdict);
  if (parsed.verdict != DNS_OK) return;
  require((parsed.message.has_data != 0) == plain.has_data);
  require((parsed.message.is_unfinished != 0) == plain.is_unfinished);
  require(parsed.message.rcode == plain.rcode);
  require(parsed.message.qtype == plain.type);
  require(parsed.message.has_question == 0 || parsed.message.name_bytes == plain.name.size() + 1);
}

void compare_cases(const std::string& bytes, std::size_t whole, const Parsed& parsed) {
  if (parsed.message.has_question == 0) return;
  std::string shouted = bytes;
  for (std::size_t i = 12; i < 12U + parsed.message.name_bytes; ++i) {
    if (shouted[i] >= 'a' && shouted[i] <= 'z') shouted[i] = static_cast<char>(shouted[i] - 32);
  }
  require(parse(shouted, whole, 0).message.question == parsed.message.question);
}

void judge(const std::string& bytes, std::size_t whole) {
  const Parsed parsed = parse(bytes, whole, 0);
  require(parsed == parse(bytes, whole, 0xff) && parsed == parse(bytes, whole, 0xc0));
  if (bytes.size() < 12) {
    require(parsed.verdict == DNS_SHORT);
  } else if (parsed.message.opcode != 0) {
    require(parsed.verdict == DNS_OTHER_OPCODE);
  } else {
    compare(parsed, parse_plainly(bytes, whole, parsed));
    compare_cases(bytes, whole, parsed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, DNS_WINDOW));
  judge(bytes, size);
  // The id, which says nothing else, as how much of the message has not come yet.
  if (size > 1) judge(bytes, size + (static_cast<std::size_t>(data[0]) << 8U | data[1]));
  return 0;
}
