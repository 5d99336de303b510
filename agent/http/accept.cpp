// SPDX-License-Identifier: Apache-2.0
#include "agent/http/accept.h"

#include <algorithm>

namespace connscope::http {
namespace {

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";
constexpr int kFullQuality = 1000;  // q-values have three decimals, so thousandths hold them exactly

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_char(char c) {
  const char lower = to_lower(c);
  return is_digit(c) || (lower >= 'a' && lower <= 'z') || kTokenPunctuation.find(c) != std::string_view::npos;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

void skip_space(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool skip(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes the token at the front; empty when there is none.
std::string_view take_token(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_token_char);
  const std::string_view token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

/// The length of the quoted string at the front, with its quotes; 0 when it does not end.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

/// Takes the next element of a comma-separated list; a comma within quotes separates nothing.
std::string_view take_element(std::string_view& list) {
  std::size_t end = 0;
  while (end < list.size() && list[end] != ',') {
    const std::size_t quoted = list[end] == '"' ? quoted_length(list.substr(end)) : 1;
    end = quoted == 0 ? list.size() : end + quoted;
  }
  const std::string_view element = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return element;
}

/// A token, or the inside of a quoted string with its backslashes still there.
struct Value {
  std::string_view text;
  bool quoted = false;
};

/// One character of the value, a backslash undone. `at` moves on.
char value_char(const Value& value, std::size_t& at) {
  if (value.quoted && value.text[at] == '\\') ++at;
  return to_lower(value.text[at++]);
}

bool equal_values(const Value& a, const Value& b) {
  std::size_t i = 0;
  std::size_t k = 0;
  while (i < a.text.size() && k < b.text.size()) {
    if (value_char(a, i) != value_char(b, k)) return false;
  }
  return i == a.text.size() && k == b.text.size();
}

struct Parameter {
  std::string_view name;
  Value value;
};

enum class Taken { kParameter, kEnd, kMalformed };

Taken take_value(std::string_view& text, Value& value) {
  if (!text.empty() && text.front() == '"') {
    const std::size_t length = quoted_length(text);
    if (length == 0) return Taken::kMalformed;
    value = {text.substr(1, length - 2), true};
    text.remove_prefix(length);
  } else {
    value = {take_token(text), false};
    if (value.text.empty()) return Taken::kMalformed;
  }
  return Taken::kParameter;
}

/// Takes the next `; name=value`. Empty parameters (";;") are allowed by the grammar and skipped.
Taken take_parameter(std::string_view& text, Parameter& parameter) {
  for (;;) {
    skip_space(text);
    if (text.empty()) return Taken::kEnd;
    if (!skip(text, ';')) return Taken::kMalformed;
    skip_space(text);
    if (text.empty() || text.front() == ';') continue;
    parameter.name = take_token(text);
    if (parameter.name.empty() || !skip(text, '=')) return Taken::kMalformed;
    return take_value(text, parameter.value);
  }
}

/// "0", "0.75", "1.000": thousandths, or nothing when it is no q-value.
std::optional<int> parse_quality(const Value& value) {
  const std::string_view text = value.text;
  if (value.quoted || text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int quality = text[0] == '1' ? kFullQuality : 0;
  int place = kFullQuality;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return std::nullopt;
    place /= 10;
    quality += (c - '0') * place;
  }
  if (quality > kFullQuality) return std::nullopt;
  return quality;
}

bool is_quality(const Parameter& parameter) { return equal_ignoring_case(parameter.name, "q"); }

/// Whether the parameter helps to tell one offer from another.
bool is_selecting(const Parameter& parameter) {
  return !is_quality(parameter) && !equal_ignoring_case(parameter.name, "charset") &&
         !equal_ignoring_case(parameter.name, "escaping");
}

/// "text/plain; version=0.0.4; q=0.5" taken apart; the parameters stay text and are read again when compared, which
/// costs less than keeping a list.
struct MediaRange {
  std::string_view type;
  std::string_view subtype;
  std::string_view parameters;
  int selecting = 0;
  int quality = kFullQuality;
};

std::optional<MediaRange> parse_range(std::string_view text) {
  skip_space(text);
  MediaRange range;
  range.type = take_token(text);
  if (range.type.empty() || !skip(text, '/')) return std::nullopt;
  range.subtype = take_token(text);
  if (range.subtype.empty() || (range.type == "*" && range.subtype != "*")) return std::nullopt;
  range.parameters = text;
  Parameter parameter;
  Taken taken = take_parameter(text, parameter);
  for (; taken == Taken::kParameter; taken = take_parameter(text, parameter)) {
    if (is_selecting(parameter)) ++range.selecting;
    if (!is_quality(parameter)) continue;
    const auto quality = parse_quality(parameter.value);
    if (!quality) return std::nullopt;
    range.quality = *quality;
  }
  if (taken == Taken::kMalformed) return std::nullopt;
  return range;
}

bool has_parameter(std::string_view parameters, const Parameter& wanted) {
  Parameter parameter;
  while (take_parameter(parameters, parameter) == Taken::kParameter) {
    if (equal_ignoring_case(parameter.name, wanted.name)) return equal_values(parameter.value, wanted.value);
  }
  return false;
}

/// How closely the range describes the offer: 0 for "*/*", 1 for "type/*", 2 for the type itself, and 1 more for each
/// parameter. Nothing when it does not match.
std::optional<int> specificity(const MediaRange& range, const MediaRange& offer, bool only_when_named) {
  int level = 2;
  if (range.type == "*") {
    if (only_when_named) return std::nullopt;
    level = 0;
  } else if (!equal_ignoring_case(range.type, offer.type)) {
    return std::nullopt;
  } else if (range.subtype == "*") {
    level = 1;
  } else if (!equal_ignoring_case(range.subtype, offer.subtype)) {
    return std::nullopt;
  }
  std::string_view rest = range.parameters;
  Parameter parameter;
  while (take_parameter(rest, parameter) == Taken::kParameter) {
    if (is_selecting(parameter) && !has_parameter(offer.parameters, parameter)) return std::nullopt;
  }
  return level + range.selecting;
}

struct Liking {
  int quality = 0;
  int specificity = -1;
};

/// What the header says about one offer: the word of the most specific range counts, the later of two equals does not.
Liking liking_of(std::string_view header, const Offer& offer) {
  Liking best;
  const auto offered = parse_range(offer.media_type);
  if (!offered) return best;
  while (!header.empty()) {
    const auto range = parse_range(take_element(header));
    if (!range) continue;
    const auto level = specificity(*range, *offered, offer.only_when_named);
    if (level && *level > best.specificity) best = {range->quality, *level};
  }
  return best;
}

std::size_t default_offer(const std::vector<Offer>& offers) {
  const auto first =
      std::find_if(offers.begin(), offers.end(), [](const Offer& offer) { return !offer.only_when_named; });
  return first == offers.end() ? 0 : static_cast<std::size_t>(first - offers.begin());
}

}  // namespace

std::optional<std::size_t> choose_offer(std::string_view accept_header, const std::vector<Offer>& offers) {
  if (offers.empty()) return std::nullopt;
  std::size_t chosen = default_offer(offers);
  Liking best;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const Liking liking = liking_of(accept_header, offers[i]);
    if (liking.quality == 0) continue;
    const bool better =
        liking.quality > best.quality || (liking.quality == best.quality && liking.specificity > best.specificity);
    if (!better) continue;
    best = liking;
    chosen = i;
  }
  return chosen;
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<int> gzip;
  std::optional<int> any;
  int identity = 0;
  while (!accept_encoding.empty()) {
    std::string_view element = take_element(accept_encoding);
    skip_space(element);
    const std::string_view coding = take_token(element);
    int quality = kFullQuality;
    Parameter parameter;
    const Taken taken = take_parameter(element, parameter);
    if (coding.empty() || taken == Taken::kMalformed) continue;
    if (taken == Taken::kParameter) {
      const auto parsed = is_quality(parameter) ? parse_quality(parameter.value) : std::nullopt;
      if (!parsed || take_parameter(element, parameter) != Taken::kEnd) continue;
      quality = *parsed;
    }
    if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip")) gzip = quality;
    if (equal_ignoring_case(coding, "identity")) identity = quality;
    if (coding == "*") any = quality;
  }
  const int quality = gzip.value_or(any.value_or(0));
  return quality > 0 && quality >= identity;
}

}  // namespace connscope::http
