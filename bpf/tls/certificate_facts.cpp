// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/certificate_facts.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "agent/metrics/utf8.h"

namespace connscope::bpf {
namespace {

// Tags of DER (X.690).
constexpr unsigned char kInteger = 0x02;
constexpr unsigned char kObjectIdentifier = 0x06;
constexpr unsigned char kUtf8String = 0x0c;
constexpr unsigned char kPrintableString = 0x13;
constexpr unsigned char kIa5String = 0x16;
constexpr unsigned char kUtcTime = 0x17;
constexpr unsigned char kGeneralizedTime = 0x18;
constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kSet = 0x31;
constexpr unsigned char kVersion = 0xa0;

constexpr std::string_view kCommonName("\x55\x04\x03", 3);
constexpr std::string_view kOrganisation("\x55\x04\x0a", 3);

struct Element {
  unsigned char tag = 0;
  std::string_view content;
};

/// Takes elements off the front of a text, one after the other.
class DerReader {
 public:
  explicit DerReader(std::string_view rest) : rest_(rest) {}

  /// nullopt: there is none that is whole.
  std::optional<Element> next() {
    const auto head = take_head();
    if (!head || head->bytes > rest_.size()) return std::nullopt;
    const Element element{head->tag, rest_.substr(0, head->bytes)};
    rest_.remove_prefix(head->bytes);
    return element;
  }
  std::optional<std::string_view> next(unsigned char tag) {
    const auto element = next();
    if (!element || element->tag != tag) return std::nullopt;
    return element->content;
  }
  /// Goes into the next element, which may be cut.
  bool enter(unsigned char tag) {
    const auto head = take_head();
    if (!head || head->tag != tag) return false;
    rest_ = rest_.substr(0, head->bytes);
    return true;
  }
  [[nodiscard]] bool is_at(unsigned char tag) const { return !rest_.empty() && front() == tag; }

 private:
  struct Head {
    unsigned char tag = 0;
    std::size_t bytes = 0;
  };

  [[nodiscard]] unsigned char front() const { return static_cast<unsigned char>(rest_.front()); }
  std::optional<unsigned char> take() {
    if (rest_.empty()) return std::nullopt;
    const unsigned char byte = front();
    rest_.remove_prefix(1);
    return byte;
  }
  std::optional<Head> take_head() {
    const auto tag = take();
    const auto first = take();
    if (!tag || !first) return std::nullopt;
    if (*first < 0x80U) return Head{*tag, *first};
    // The length follows, in so many bytes; no certificate needs more than three.
    std::size_t bytes = 0;
    const unsigned count = *first & 0x7fU;
    if (count == 0 || count > 3) return std::nullopt;
    for (unsigned i = 0; i < count; ++i) {
      const auto byte = take();
      if (!byte) return std::nullopt;
      bytes = bytes << 8U | *byte;
    }
    return Head{*tag, bytes};
  }

  std::string_view rest_;
};

bool is_text(unsigned char tag) { return tag == kUtf8String || tag == kPrintableString || tag == kIa5String; }

/// The value that a name (a sequence of sets of type and value) has of that type.
std::string value_of(std::string_view name, std::string_view type) {
  DerReader sets(name);
  while (const auto set = sets.next(kSet)) {
    DerReader pairs(*set);
    while (const auto pair = pairs.next(kSequence)) {
      DerReader parts(*pair);
      const auto its_type = parts.next(kObjectIdentifier);
      const auto value = parts.next();
      if (its_type == type && value && is_text(value->tag)) return metrics::to_utf8(value->content);
    }
  }
  return {};
}

std::string issuer_of(std::string_view name) {
  std::string common = value_of(name, kCommonName);
  return common.empty() ? value_of(name, kOrganisation) : common;
}

/// Two digits, or four, at the front of the text.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  int number = 0;
  if (text.size() < digits || !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits),
                                           [](char digit) { return digit >= '0' && digit <= '9'; }))
    return std::nullopt;
  std::from_chars(text.data(), text.data() + digits, number);
  text.remove_prefix(digits);
  return number;
}

std::optional<std::int64_t> seconds_of(std::chrono::year year, std::string_view rest) {
  const auto month = take_number(rest, 2);
  const auto day = take_number(rest, 2);
  const auto hour = take_number(rest, 2);
  const auto minute = take_number(rest, 2);
  const auto second = take_number(rest, 2);
  if (!month || !day || !hour || !minute || !second || rest != "Z") return std::nullopt;
  const std::chrono::year_month_day date(year, std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                                        std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  return time.time_since_epoch().count();
}

/// RFC 5280, 4.1.2.5: years of two digits are those from 1950 to 2049.
std::optional<std::int64_t> time_of(const Element& element) {
  std::string_view text = element.content;
  if (element.tag != kUtcTime && element.tag != kGeneralizedTime) return std::nullopt;
  auto year = take_number(text, element.tag == kUtcTime ? 2 : 4);
  if (!year) return std::nullopt;
  if (element.tag == kUtcTime) *year += *year < 50 ? 2000 : 1900;
  return seconds_of(std::chrono::year(*year), text);
}

}  // namespace

std::optional<CertificateFacts> certificate_facts(std::string_view der) {
  DerReader reader(der);
  if (!reader.enter(kSequence) || !reader.enter(kSequence)) return std::nullopt;
  if (reader.is_at(kVersion) && !reader.next()) return std::nullopt;
  if (!reader.next(kInteger) || !reader.next(kSequence)) return std::nullopt;  // serial number, algorithm
  const auto issuer = reader.next(kSequence);
  const auto validity = reader.next(kSequence);
  if (!issuer || !validity) return std::nullopt;
  DerReader times(*validity);
  const auto not_before = times.next();
  const auto not_after = times.next();
  if (!not_before || !not_after) return std::nullopt;
  const auto seconds = time_of(*not_after);
  if (!seconds) return std::nullopt;
  return CertificateFacts{issuer_of(*issuer), *seconds};
}

}  // namespace connscope::bpf
