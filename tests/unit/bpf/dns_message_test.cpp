// SPDX-License-Identifier: Apache-2.0
//
// The parser of DNS messages: each thing that it tells, at its borders. Every message is parsed with two kinds of
// rubbish behind its end, which must make no difference; the window lies on the heap, where AddressSanitizer knows its
// end.
#include "bpf/dns/dns_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/corpus.h"
#include "tests/unit/bpf/dns_bytes.h"

namespace connscope::testing {
namespace {

constexpr unsigned kA = 1;
constexpr unsigned kCname = 5;
constexpr unsigned kSoa = 6;
constexpr unsigned kAaaa = 28;
const std::string kAddress = "\x7f\x01\x02\x03";

struct Parsed {
  dns_verdict verdict = DNS_OK;
  dns_message message{};
};

Parsed parse_over(const std::string& bytes, std::size_t message_bytes, int rubbish) {
  auto window = std::make_unique<std::uint8_t[]>(DNS_WINDOW);
  std::memset(window.get(), rubbish, DNS_WINDOW);
  const std::size_t size = std::min<std::size_t>(bytes.size(), DNS_WINDOW);
  std::copy_n(bytes.begin(), size, window.get());
  Parsed parsed;
  std::memset(&parsed.message, 0x5a, sizeof parsed.message);
  parsed.message.message_bytes = static_cast<std::uint32_t>(message_bytes);
  parsed.verdict = dns_read_header(window.get(), size, &parsed.message);
  if (parsed.verdict == DNS_OK) parsed.verdict = dns_read_question(window.get(), size, &parsed.message);
  if (parsed.verdict == DNS_OK && parsed.message.is_answer != 0) {
    parsed.verdict = dns_read_records(window.get(), size, &parsed.message);
  }
  return parsed;
}

/// `message_bytes` is more than `bytes` where the rest has not come yet.
Parsed parse(const std::string& bytes, std::size_t message_bytes = 0) {
  const std::size_t whole = std::max(message_bytes, bytes.size());
  const Parsed parsed = parse_over(bytes, whole, 0xff);
  for (const int rubbish : {0x00, 0x01, 0xc0}) {
    const Parsed other = parse_over(bytes, whole, rubbish);
    EXPECT_EQ(parsed.verdict, other.verdict);
    EXPECT_EQ(std::memcmp(&parsed.message, &other.message, sizeof other.message), 0) << "bytes behind the end matter";
  }
  return parsed;
}

/// The question www.example.org, whose name begins at 12; "example.org" in it at 16, and "org" at 24.
std::string example_question(unsigned type = kA) { return question(name("www.example.org"), type); }
std::string answer(const Header& counts, const std::string& records, unsigned type = kA) {
  return header(counts) + example_question(type) + records;
}

std::uint64_t hash_of(const std::string& question_bytes) {
  const Parsed parsed = parse(header({.flags = 0x0100}) + question_bytes);
  EXPECT_EQ(parsed.verdict, DNS_OK);
  return parsed.message.question;
}

std::string label_of(std::size_t bytes, char letter = 'a') {
  return static_cast<char>(bytes) + std::string(bytes, letter);
}

/// A name of so many bytes, the root's label counted.
std::string name_of(std::size_t bytes) {
  std::string made;
  while (bytes - made.size() > 1) {
    const std::size_t rest = bytes - made.size() - 1;
    // No label has one byte with its length, so none may be left over.
    made += label_of(rest == 65 ? 62 : std::min<std::size_t>(rest, 64) - 1);
  }
  return made + '\0';
}

TEST(DnsHeader, HasEachField) {
  const Parsed parsed = parse(header({0xabcd, 0x8005, 1, 0x0102, 0x0304, 0xffff}) + example_question(), 0xffff);
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.id, 0xabcd);
  EXPECT_EQ(parsed.message.is_answer, 1);
  EXPECT_EQ(parsed.message.opcode, 0);
  EXPECT_EQ(parsed.message.is_truncated, 0);
  EXPECT_EQ(parsed.message.rcode, 5);
  EXPECT_EQ(parsed.message.questions, 1);
  EXPECT_EQ(parsed.message.answers, 0x0102);
  EXPECT_EQ(parsed.message.records, 0x0102 + 0x0304 + 0xffff);
}

TEST(DnsHeader, BitsAreApart) {
  EXPECT_EQ(parse(header({.flags = 0x0000, .questions = 0})).message.is_answer, 0);
  EXPECT_EQ(parse(header({.flags = 0x7dff, .questions = 0})).message.is_answer, 0);
  EXPECT_EQ(parse(header({.flags = 0xfdff, .questions = 0})).message.is_truncated, 0);
  EXPECT_EQ(parse(header({.flags = 0x0200, .questions = 0})).message.is_truncated, 1);
  EXPECT_EQ(parse(header({.flags = 0xfff0, .questions = 0})).message.rcode, 0);
}

TEST(DnsHeader, ShorterThanTwelveBytesItIsShort) {
  const std::string whole = header({.questions = 0});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size)).verdict, DNS_SHORT) << size;
    EXPECT_EQ(parse(whole.substr(0, size), 100).verdict, DNS_SHORT) << size;
  }
  EXPECT_EQ(parse(whole).verdict, DNS_OK);
}

TEST(DnsHeader, OtherOpcodesAreToldWithTheFields) {
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    const Parsed parsed = parse(header({.flags = 0x8000 | opcode << 11U}));
    EXPECT_EQ(parsed.verdict, DNS_OTHER_OPCODE);
    EXPECT_EQ(parsed.message.opcode, opcode);
    EXPECT_EQ(parsed.message.id, 0x1234);
  }
}

TEST(DnsQuestion, HasTypeClassAndPlace) {
  const Parsed parsed = parse(header({.flags = 0x0100}) + question(name("www.example.org"), 0x0102, 0x0304));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.has_question, 1);
  EXPECT_EQ(parsed.message.qtype, 0x0102);
  EXPECT_EQ(parsed.message.qclass, 0x0304);
  EXPECT_EQ(parsed.message.name_bytes, 17);
  EXPECT_EQ(parsed.message.records_at, 12 + 17 + 4);
}

TEST(DnsQuestion, MayBeOfTheRoot) {
  const Parsed parsed = parse(header({.flags = 0x0100}) + question(name(""), 2));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.name_bytes, 1);
  EXPECT_EQ(parsed.message.qtype, 2);
}

TEST(DnsQuestion, TheHashIsFnv1aInLowerCase) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : question(name("www.example.org"), kAaaa)) {
    hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  }
  EXPECT_EQ(hash_of(question(name("www.example.org"), kAaaa)), hash);
  EXPECT_EQ(hash_of(question(name("wWw.EXAMPLE.oRg"), kAaaa)), hash);
}

TEST(DnsQuestion, OnlyLettersOfAsciiHaveCases) {
  for (int byte = 0; byte < 256; ++byte) {
    const int lower = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
    for (const int other : {byte ^ 0x20, byte ^ 0x80}) {
      const int other_lower = other >= 'A' && other <= 'Z' ? other + 32 : other;
      const auto hash = [](int of) { return hash_of(question(std::string("\1") + static_cast<char>(of) + '\0', kA)); };
      EXPECT_EQ(hash(byte) == hash(other), lower == other_lower) << byte;
    }
  }
}

TEST(DnsQuestion, AnotherQuestionHasAnotherHash) {
  const std::vector<std::string> questions = {question(name("a.bc"), kA),    question(name("ab.c"), kA),
                                              question(name("abc"), kA),     question(name("a.bd"), kA),
                                              question(name("a.bc"), kAaaa), question(name("a.bc"), kA, 3),
                                              question(name(""), kA),        question(name("a.b.c"), kA)};
  std::vector<std::uint64_t> hashes;
  for (const std::string& each : questions) hashes.push_back(hash_of(each));
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(DnsQuestion, NoneIsFineAndMoreThanOneIsNot) {
  const Parsed none = parse(header({.flags = 0x8181, .questions = 0}));
  EXPECT_EQ(none.verdict, DNS_OK);
  EXPECT_EQ(none.message.has_question, 0);
  EXPECT_EQ(none.message.question, 0U);
  EXPECT_EQ(none.message.rcode, 1);
  EXPECT_EQ(none.message.records_at, 12);
  for (const unsigned questions : {2U, 256U, 0xffffU}) {
    EXPECT_EQ(parse(header({.questions = questions}) + example_question() + example_question()).verdict, DNS_MALFORMED);
  }
}

TEST(DnsQuestion, LabelsHaveAtMost63Bytes) {
  EXPECT_EQ(parse(header({}) + question(label_of(63) + '\0', kA)).verdict, DNS_OK);
  for (const std::size_t bytes : {64U, 127U, 128U, 191U}) {
    EXPECT_EQ(parse(header({}) + question(label_of(bytes) + '\0', kA)).verdict, DNS_MALFORMED) << bytes;
    EXPECT_EQ(parse(header({}) + question(label_of(3) + label_of(bytes) + '\0', kA)).verdict, DNS_MALFORMED) << bytes;
  }
}

TEST(DnsQuestion, NamesHaveAtMost255Bytes) {
  for (std::size_t bytes = 3; bytes <= 255; ++bytes) {
    const Parsed parsed = parse(header({.flags = 0x0100}) + question(name_of(bytes), kA));
    EXPECT_EQ(parsed.verdict, DNS_OK) << bytes;
    EXPECT_EQ(parsed.message.name_bytes, bytes);
    EXPECT_EQ(parsed.message.qtype, kA);
  }
  EXPECT_EQ(parse(header({}) + question(name_of(256), kA)).verdict, DNS_MALFORMED);
  EXPECT_EQ(parse(header({}) + question(name_of(300), kA)).verdict, DNS_MALFORMED);
  std::string short_labels;
  for (int i = 0; i < 127; ++i) short_labels += label_of(1);
  EXPECT_EQ(parse(header({}) + question(short_labels + '\0', kA)).verdict, DNS_OK);
  EXPECT_EQ(parse(header({}) + question(short_labels + label_of(1) + '\0', kA)).verdict, DNS_MALFORMED);
}

TEST(DnsQuestion, PointersAreMalformed) {
  EXPECT_EQ(parse(header({}) + question(pointer(12), kA)).verdict, DNS_MALFORMED);
  EXPECT_EQ(parse(header({}) + question(labels("www") + pointer(12), kA)).verdict, DNS_MALFORMED);
  EXPECT_EQ(parse(header({}) + question(labels("www") + pointer(0), kA)).verdict, DNS_MALFORMED);
}

TEST(DnsQuestion, CutItIsMalformedUnlessTheMessageGoesOn) {
  const std::string whole = header({.flags = 0x0100}) + example_question();
  for (std::size_t size = 12; size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size)).verdict, DNS_MALFORMED) << size;
    EXPECT_EQ(parse(whole.substr(0, size), whole.size()).verdict, DNS_SHORT) << size;
  }
}

TEST(DnsRecords, ARecordOfTheAskedTypeIsData) {
  const Parsed parsed = parse(answer({.answers = 1}, record(pointer(12), kA, kAddress)));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.has_data, 1);
  EXPECT_EQ(parsed.message.is_unfinished, 0);
}

TEST(DnsRecords, OwnersMayBeWrittenOutOrEndInAPointer) {
  for (const std::string& owner : {name("www.example.org"), labels("www") + pointer(16), labels("a.b") + pointer(28),
                                   name(""), pointer(24), name_of(255)}) {
    EXPECT_EQ(parse(answer({.answers = 1}, record(owner, kA, kAddress))).message.has_data, 1);
  }
}

TEST(DnsRecords, NoneOfTheAskedTypeIsNoData) {
  const std::string alias = record(pointer(12), kCname, name("other.example.org"));
  const std::string address = record(pointer(12), kA, kAddress);
  EXPECT_EQ(parse(answer({}, "")).message.has_data, 0);
  EXPECT_EQ(parse(answer({.answers = 1}, alias)).message.has_data, 0);
  EXPECT_EQ(parse(answer({.answers = 3}, alias + alias + alias)).message.has_data, 0);
  EXPECT_EQ(parse(answer({.answers = 3}, alias + alias + address)).message.has_data, 1);
  EXPECT_EQ(parse(answer({.answers = 3}, alias + alias + address, kAaaa)).message.has_data, 0);
  EXPECT_EQ(parse(answer({.answers = 1}, alias, kCname)).message.has_data, 1);
}

TEST(DnsRecords, OtherSectionsHaveNoData) {
  const std::string address = record(pointer(12), kA, kAddress);
  const Parsed parsed = parse(answer({.authorities = 1, .additional = 1}, address + address));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.has_data, 0);
}

TEST(DnsRecords, TypesOfQuestionsAloneTakeAnyRecord) {
  const std::string alias = record(pointer(12), kCname, name("x"));
  for (unsigned type = 0; type <= 300; ++type) {
    const bool any = type == 0 || type == kCname || (type >= 251 && type <= 255);
    EXPECT_EQ(parse(answer({.answers = 1}, alias, type)).message.has_data, any ? 1 : 0) << type;
    EXPECT_EQ(parse(answer({.authorities = 1}, alias, type)).message.has_data, 0) << type;
  }
  EXPECT_EQ(parse(header({.questions = 0, .answers = 1}) + record(name("x"), kCname, "")).message.has_data, 1)
      << "and so does no question";
}

TEST(DnsRecords, TheRcodeHasTheBitsOfEdns) {
  const std::string soa = record(pointer(16), kSoa, std::string(20, '\0'));
  for (unsigned rcode = 0; rcode < 4096; rcode += 13) {
    const Header counts{.flags = 0x8180 | (rcode & 15U), .authorities = 1, .additional = 2};
    const Parsed parsed = parse(answer(counts, soa + record(pointer(16), kA, kAddress) + opt(rcode >> 4U)));
    EXPECT_EQ(parsed.verdict, DNS_OK);
    EXPECT_EQ(parsed.message.rcode, rcode);
  }
  EXPECT_EQ(parse(header({.flags = 0x8180, .questions = 0, .additional = 1}) + opt(1)).message.rcode, 16);
}

TEST(DnsRecords, AnOptInTheAnswerSectionIsNone) {
  const Parsed parsed = parse(answer({.answers = 1}, opt(1)));
  EXPECT_EQ(parsed.message.rcode, 0);
  EXPECT_EQ(parsed.message.has_data, 0);
}

TEST(DnsRecords, PointersMustLeadToBeforeTheirName) {
  const unsigned here = 12 + 17 + 4;
  const struct {
    const char* what;
    std::string owner;
    dns_verdict verdict;
  } cases[] = {
      {"to the question", pointer(12), DNS_OK},
      {"to the last byte before", pointer(here - 1), DNS_OK},
      {"to itself", pointer(here), DNS_MALFORMED},
      {"to its second byte", pointer(here + 1), DNS_MALFORMED},
      {"to its own first label", labels("a.b") + pointer(here), DNS_MALFORMED},
      {"to its own second label", labels("a.b") + pointer(here + 2), DNS_MALFORMED},
      {"forward", pointer(here + 12), DNS_MALFORMED},
      {"to the end of all", pointer(0x3fff), DNS_MALFORMED},
      {"into the header", pointer(11), DNS_MALFORMED},
      {"to the header's begin", pointer(0), DNS_MALFORMED},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(parse(answer({.answers = 1}, record(each.owner, kA, kAddress))).verdict, each.verdict) << each.what;
  }
}

TEST(DnsRecords, PointersThatLeadToOneAnotherAreMalformed) {
  const unsigned first = 12 + 17 + 4;
  const unsigned second = first + 12;
  const std::string records = record(pointer(second), kCname, "") + record(pointer(first), kA, kAddress);
  EXPECT_EQ(parse(answer({.answers = 2}, records)).verdict, DNS_MALFORMED);
}

TEST(DnsRecords, LabelsOfOtherKindsAndLongOwnersAreMalformed) {
  for (const std::size_t bytes : {64U, 127U, 128U, 191U}) {
    EXPECT_EQ(parse(answer({.answers = 1}, record(label_of(bytes) + '\0', kA, kAddress))).verdict, DNS_MALFORMED);
  }
  EXPECT_EQ(parse(answer({.answers = 1}, record(name_of(256), kA, kAddress))).verdict, DNS_MALFORMED);
}

TEST(DnsRecords, CutTheyAreMalformedUnlessTheMessageGoesOn) {
  const std::string question_end = answer({.answers = 2}, "");
  const std::string whole =
      question_end + record(labels("a") + pointer(12), kCname, "abc") + record(pointer(12), kA, kAddress);
  for (std::size_t size = question_end.size(); size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size)).verdict, DNS_MALFORMED) << size;
    const Parsed parsed = parse(whole.substr(0, size), whole.size());
    EXPECT_EQ(parsed.verdict, DNS_OK) << size;
    EXPECT_EQ(parsed.message.has_data, 1) << "not known to be none, at " << size;
  }
  EXPECT_EQ(parse(whole).message.is_unfinished, 0);
}

TEST(DnsRecords, CutInALaterSectionThereIsNoData) {
  const std::string before = answer({.answers = 1, .authorities = 1}, record(pointer(12), kCname, "x"));
  const std::string whole = before + record(pointer(12), kSoa, "");
  for (std::size_t size = before.size(); size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size)).verdict, DNS_MALFORMED) << size;
    const Parsed parsed = parse(whole.substr(0, size), whole.size());
    EXPECT_EQ(parsed.verdict, DNS_OK) << size;
    EXPECT_EQ(parsed.message.has_data, 0) << size;
    EXPECT_EQ(parsed.message.is_unfinished, 1) << size;
  }
}

TEST(DnsRecords, BehindTheWindowTheyMayHaveData) {
  const std::size_t fits = DNS_WINDOW - answer({}, "").size() - 12;  // of data, in a record that ends with the window
  for (std::size_t bytes = fits - 20; bytes < fits + 600; ++bytes) {
    const std::string filler = record(pointer(12), kCname, std::string(bytes, 'x'));
    const Parsed parsed = parse(answer({.answers = 2}, filler + record(pointer(12), kA, kAddress)));
    EXPECT_EQ(parsed.verdict, DNS_OK) << bytes;
    EXPECT_EQ(parsed.message.has_data, 1) << bytes;
    const bool is_seen = bytes + 12 <= fits;  // the second one's fixed part too
    EXPECT_EQ(parsed.message.is_unfinished, is_seen ? 0 : 1) << bytes;
    EXPECT_EQ(parse(answer({.answers = 2}, filler)).verdict, DNS_MALFORMED) << "cut, at " << bytes;
    EXPECT_EQ(parse(answer({.answers = 1}, filler)).message.has_data, 0) << bytes;
  }
}

TEST(DnsRecords, TheLongestDataMayReachBehindTheWindow) {
  const std::string whole = answer({.answers = 1}, record(pointer(12), kA, std::string(0xffff, 'x')));
  EXPECT_EQ(parse(whole).message.has_data, 1);
  EXPECT_EQ(parse(whole.substr(0, whole.size() - 1)).verdict, DNS_MALFORMED);
}

TEST(DnsRecords, MoreThanTheStepsAreUnfinished) {
  const std::string filler = record(name(""), kCname, "");
  std::string many;
  for (int i = 0; i < 30; ++i) many += filler;
  EXPECT_EQ(parse(answer({.answers = 30}, many)).message.has_data, 0);
  EXPECT_EQ(parse(answer({.answers = 31}, many)).verdict, DNS_MALFORMED);
  std::string owner;
  for (int i = 0; i < 62; ++i) owner += label_of(1);
  const std::string slow = record(owner + pointer(12), kCname, "");
  EXPECT_EQ(parse(answer({.answers = 2}, slow + record(pointer(12), kA, ""))).message.is_unfinished, 0);
  const Parsed parsed = parse(answer({.answers = 2}, slow + record(label_of(1) + pointer(12), kAaaa, "")));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.is_unfinished, 1);
  EXPECT_EQ(parsed.message.has_data, 1);
}

TEST(DnsRecords, ATruncatedAnswerIsNotLookedInto) {
  const Parsed parsed = parse(answer({.flags = 0x8380, .answers = 5}, "\xff\xff"));
  EXPECT_EQ(parsed.verdict, DNS_OK);
  EXPECT_EQ(parsed.message.is_truncated, 1);
  EXPECT_EQ(parsed.message.has_data, 0);
}

TEST(DnsRecords, WhatFollowsTheLastOneDoesNotMatter) {
  EXPECT_EQ(parse(answer({}, "\xff\xff\xff")).verdict, DNS_OK);
  EXPECT_EQ(parse(answer({.answers = 1}, record(pointer(12), kA, kAddress) + "\xff")).verdict, DNS_OK);
}

TEST(DnsMessage, NothingBehindTheEndOfAnyPrefixMatters) {
  const std::vector<std::string> messages = corpus("dns_message_fuzz");
  ASSERT_GE(messages.size(), 40U);
  for (const std::string& message : messages) {
    for (std::size_t size = 0; size <= message.size(); ++size) {
      parse(message.substr(0, size));
      parse(message.substr(0, size), message.size());
    }
  }
}

}  // namespace
}  // namespace connscope::testing
