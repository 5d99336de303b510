// SPDX-License-Identifier: Apache-2.0
//
// DNS messages (RFC 1035, 6891) as dns_actor writes and reads them. Nothing here is shared with the agent's parser: the
// tests hold one against the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connscope::actor {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeAaaa = 28;

inline constexpr unsigned kNoError = 0;
inline constexpr unsigned kFormErr = 1;
inline constexpr unsigned kServFail = 2;
inline constexpr unsigned kNxDomain = 3;
inline constexpr unsigned kNotImp = 4;
inline constexpr unsigned kRefused = 5;
inline constexpr unsigned kBadVers = 16;

struct Question {
  std::uint16_t id = 0;
  /// With dots between its labels, in the case in which it came.
  std::string name;
  std::uint16_t type = kTypeA;
};

/// "A", "AAAA", "TYPE65400" and the few others that the tests ask for.
std::uint16_t type_of(const std::string& name);

/// A query; `udp_size` that is not 0 adds an OPT record with it (EDNS).
Bytes make_query(const Question& question, std::uint16_t udp_size);
/// Nothing when the message is no query with one question.
std::optional<Question> read_query(const Bytes& message);

/// What an answer is to be like.
struct AnswerShape {
  /// Above 15 there is an OPT record, which holds its upper bits.
  unsigned rcode = kNoError;
  bool truncated = false;
  /// Without it the answer is a header alone.
  bool has_question = true;
  /// CNAME records in front of the record that was asked for.
  unsigned aliases = 0;
  /// The record that was asked for.
  bool has_data = false;
  /// That record's name is a compression pointer that points to itself.
  bool loops = false;
};

Bytes make_answer(const Question& question, const AnswerShape& shape);

struct Answer {
  Question question;
  unsigned rcode = 0;
  bool truncated = false;
  bool has_question = false;
};

/// Header and question; of the rcode the four bits that are in the header. Nothing when the message is no answer, or
/// its answer section cannot be read.
std::optional<Answer> read_answer(const Bytes& message);

/// With its length in front, as TCP carries it.
Bytes framed(const Bytes& message);
/// Takes the messages that are whole from the front of what a TCP connection has brought.
std::vector<Bytes> take_framed(Bytes& stream);

/// The same name, whatever the case of its letters.
bool same_name(std::string_view one, std::string_view other);

}  // namespace connscope::actor
