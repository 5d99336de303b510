// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_wire.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tests/support/actor_arguments.h"

namespace connscope::actor {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint16_t kAnswerFlags = 0x8180;  // QR, RD, RA
constexpr std::uint16_t kQueryFlags = 0x0100;   // RD
constexpr std::uint16_t kTruncatedFlag = 0x0200;
constexpr std::uint16_t kPointer = 0xc000;
constexpr std::uint32_t kTtl = 60;
constexpr std::size_t kLongLabel = 60;

constexpr std::array<std::pair<const char*, std::uint16_t>, 8> kTypes = {
    {{"A", 1}, {"PTR", 12}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}, {"HTTPS", 65}, {"ANY", 255}}};

class Writer {
 public:
  void u16(std::size_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes_.push_back(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) {
    u16(value >> 16U);
    u16(value & 0xffffU);
  }
  void label(std::string_view text) {
    bytes_.push_back(static_cast<std::uint8_t>(text.size()));
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void name(std::string_view text) {
    while (!text.empty()) {
      const std::size_t length = std::min(text.find('.'), text.size());
      label(text.substr(0, length));
      text.remove_prefix(std::min(length + 1, text.size()));
    }
    bytes_.push_back(0);
  }
  void pointer(std::size_t to) { u16(kPointer | to); }
  void zeros(std::size_t count) { bytes_.insert(bytes_.end(), count, 0); }
  void question(const Question& asked) {
    name(asked.name);
    u16(asked.type);
    u16(kClassIn);
  }
  void opt(std::uint16_t udp_size, unsigned rcode) {
    bytes_.push_back(0);
    u16(kTypeOpt);
    u16(udp_size);
    u32((rcode >> 4U) << 24U);
    u16(0);
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

class Reader {
 public:
  explicit Reader(const Bytes& bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  std::uint16_t u16() {
    if (at_ + 2 > bytes_.size()) {
      broken_ = true;
      return 0;
    }
    at_ += 2;
    return static_cast<std::uint16_t>(bytes_[at_ - 2] << 8U | bytes_[at_ - 1]);
  }
  std::string name() {
    std::string text;
    while (at_ < bytes_.size()) {
      const std::size_t length = bytes_[at_++];
      if (length == 0) return text;
      if (length >= 64 || at_ + length > bytes_.size()) break;
      if (!text.empty()) text += '.';
      text.append(reinterpret_cast<const char*>(&bytes_[at_]), length);
      at_ += length;
    }
    broken_ = true;
    return text;
  }
  /// A record's name may end with a pointer, to what stands in front of it.
  void skip_name() {
    const std::size_t begin = at_;
    while (at_ < bytes_.size()) {
      const std::size_t length = bytes_[at_];
      if (length >= 0xc0) {
        broken_ = broken_ || (u16() & ~kPointer) >= begin;
        return;
      }
      skip(1 + length);
      if (length == 0) return;
    }
    broken_ = true;
  }
  void skip_record() {
    skip_name();
    skip(8);
    skip(u16());
  }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  void skip(std::size_t count) {
    broken_ = broken_ || at_ + count > bytes_.size();
    at_ = std::min(at_ + count, bytes_.size());
  }

  const Bytes& bytes_;
  std::size_t at_;
  bool broken_ = false;
};

std::size_t data_size(std::uint16_t type) { return type == kTypeAaaa ? 16 : 4; }

void add_alias(Writer& out, std::size_t& owner) {
  out.pointer(owner);
  out.u16(kTypeCname);
  out.u16(kClassIn);
  out.u32(kTtl);
  out.u16(kLongLabel + 3);
  owner = out.size();
  out.label(std::string(kLongLabel, 'a'));
  out.pointer(kHeaderSize);
}

void add_data(Writer& out, const Question& question, std::size_t owner) {
  out.pointer(owner);
  out.u16(question.type);
  out.u16(kClassIn);
  out.u32(kTtl);
  out.u16(data_size(question.type));
  out.zeros(data_size(question.type));
}

/// What says how long it may be remembered that there is nothing.
void add_authority(Writer& out) {
  out.pointer(kHeaderSize);
  out.u16(kTypeSoa);
  out.u16(kClassIn);
  out.u32(kTtl);
  out.u16(2 + 2 + 20);
  out.pointer(kHeaderSize);
  out.pointer(kHeaderSize);
  for (int i = 0; i < 5; ++i) out.u32(kTtl);
}

}  // namespace

std::uint16_t type_of(const std::string& name) {
  for (const auto& [known, type] : kTypes) {
    if (name == known) return type;
  }
  std::uint16_t type = 0;
  const auto [end, error] =
      std::from_chars(name.data() + std::min<std::size_t>(4, name.size()), name.data() + name.size(), type);
  if (name.rfind("TYPE", 0) != 0 || error != std::errc() || end != name.data() + name.size()) die("no type: " + name);
  return type;
}

Bytes make_query(const Question& question, std::uint16_t udp_size) {
  Writer out;
  out.u16(question.id);
  out.u16(kQueryFlags);
  out.u16(1);
  out.u16(0);
  out.u16(0);
  out.u16(udp_size == 0 ? 0 : 1);
  out.question(question);
  if (udp_size != 0) out.opt(udp_size, 0);
  return out.take();
}

std::optional<Question> read_query(const Bytes& message) {
  Reader in(message);
  Question question;
  question.id = in.u16();
  const unsigned flags = in.u16();
  const unsigned questions = in.u16();
  Reader rest(message, kHeaderSize);
  question.name = rest.name();
  question.type = rest.u16();
  rest.u16();
  if (rest.broken() || (flags & 0x8000U) != 0 || questions != 1) return std::nullopt;
  return question;
}

Bytes make_answer(const Question& question, const AnswerShape& shape) {
  const bool has_opt = shape.rcode > 15;
  const bool is_empty = shape.aliases == 0 && !shape.has_data;
  const bool has_authority = shape.has_question && !shape.truncated && !shape.has_data && shape.rcode % 16 != kRefused;
  Writer out;
  out.u16(question.id);
  out.u16(kAnswerFlags | (shape.truncated ? kTruncatedFlag : 0U) | (shape.rcode & 15U));
  out.u16(shape.has_question ? 1 : 0);
  out.u16(is_empty ? 0 : shape.aliases + (shape.has_data ? 1 : 0));
  out.u16(has_authority ? 1 : 0);
  out.u16(has_opt ? 1 : 0);
  if (shape.has_question) out.question(question);
  std::size_t owner = kHeaderSize;
  for (unsigned i = 0; i < shape.aliases; ++i) add_alias(out, owner);
  if (shape.loops) owner = out.size();
  if (shape.has_data) add_data(out, question, owner);
  if (has_authority) add_authority(out);
  if (has_opt) out.opt(1232, shape.rcode);
  return out.take();
}

std::optional<Answer> read_answer(const Bytes& message) {
  Reader in(message);
  Answer answer;
  answer.question.id = in.u16();
  const unsigned flags = in.u16();
  answer.has_question = in.u16() == 1;
  const unsigned records = in.u16();
  if (in.broken() || (flags & 0x8000U) == 0) return std::nullopt;
  answer.rcode = flags & 15U;
  answer.truncated = (flags & kTruncatedFlag) != 0;
  if (!answer.has_question) return answer;
  Reader rest(message, kHeaderSize);
  answer.question.name = rest.name();
  answer.question.type = rest.u16();
  rest.u16();
  for (unsigned i = 0; i < records; ++i) rest.skip_record();
  if (rest.broken()) return std::nullopt;
  return answer;
}

Bytes framed(const Bytes& message) {
  Writer out;
  out.u16(message.size());
  Bytes bytes = out.take();
  bytes.insert(bytes.end(), message.begin(), message.end());
  return bytes;
}

std::vector<Bytes> take_framed(Bytes& stream) {
  std::vector<Bytes> messages;
  for (;;) {
    if (stream.size() < 2) return messages;
    const std::size_t end = 2U + (static_cast<std::size_t>(stream[0]) << 8U | stream[1]);
    if (stream.size() < end) return messages;
    messages.emplace_back(stream.begin() + 2, stream.begin() + static_cast<std::ptrdiff_t>(end));
    stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(end));
  }
}

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace connscope::actor
