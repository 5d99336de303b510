// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_script.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "tests/support/actor_arguments.h"

namespace connscope::actor {
namespace {

struct Word {
  std::string name;
  long number = 0;
};

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Word parse_word(const std::string& text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string::npos || std::isdigit(static_cast<unsigned char>(text.back())) == 0) return {text};
  return {text.substr(0, dash), Step{text, text.substr(dash + 1)}.number()};
}

std::vector<Word> words_of(const Question& question) {
  static constexpr std::string_view kThen = "-then-";
  std::string label = lowered(question.name.substr(0, question.name.find('.')));
  std::vector<Word> words;
  for (std::size_t at = label.find(kThen); at != std::string::npos; at = label.find(kThen)) {
    words.push_back(parse_word(label.substr(0, at)));
    label.erase(0, at + kThen.size());
  }
  words.push_back(parse_word(label));
  return words;
}

AnswerShape data() {
  AnswerShape shape;
  shape.has_data = true;
  return shape;
}

AnswerShape failure(unsigned rcode) {
  AnswerShape shape;
  shape.rcode = rcode;
  shape.has_question = rcode != kFormErr;
  return shape;
}

Bytes cut_answer(const Question& question) {
  Bytes message = make_answer(question, data());
  message.resize(message.size() - 3);
  return message;
}

Bytes garbage(const Question& question) {
  Bytes message = make_answer(question, failure(kNoError));
  // A label of 127 bytes, which no label may have and the message does not.
  message[12] = 0x7f;
  message.resize(40, 0xa5);
  return message;
}

/// Answers that are one message; empty when `word` is none of them.
Bytes plain_answer(const Question& question, const Word& word) {
  static const std::map<std::string, unsigned> kRcodes = {
      {"nodata", kNoError},  {"nxdomain", kNxDomain}, {"servfail", kServFail}, {"refused", kRefused},
      {"formerr", kFormErr}, {"notimp", kNotImp},     {"badvers", kBadVers},
  };
  if (const auto rcode = kRcodes.find(word.name); rcode != kRcodes.end()) {
    return make_answer(question, failure(rcode->second));
  }
  AnswerShape shape = data();
  if (word.name == "rcode") {
    shape = failure(static_cast<unsigned>(word.number));
  } else if (word.name == "big") {
    shape.aliases = static_cast<unsigned>(word.number);
  } else if (word.name == "cname-nodata") {
    shape.aliases = 1;
    shape.has_data = false;
  } else if (word.name == "lower") {
    return make_answer({question.id, lowered(question.name), question.type}, shape);
  } else if (word.name != "ok" && word.name != "delay" && word.name != "pieces") {
    return {};
  }
  return make_answer(question, shape);
}

/// Answers that do not belong or cannot be read; empty when `word` is none of them.
Bytes wrong_answer(const Question& question, const Word& word) {
  if (word.name == "wrongid") {
    return make_answer({static_cast<std::uint16_t>(question.id ^ 0x5555U), question.name, question.type}, data());
  }
  if (word.name == "wrongquestion") return make_answer({question.id, "other." + question.name, question.type}, data());
  if (word.name == "garbage") return garbage(question);
  if (word.name == "cut") return cut_answer(question);
  if (word.name == "noise") return Bytes(32, 0xa5);
  if (word.name == "short") {
    return {static_cast<std::uint8_t>(question.id >> 8U), static_cast<std::uint8_t>(question.id)};
  }
  if (word.name == "loop") {
    AnswerShape shape = data();
    shape.loops = true;
    return make_answer(question, shape);
  }
  return {};
}

Bytes truncated_answer(const Question& question) {
  AnswerShape shape;
  shape.truncated = true;
  return make_answer(question, shape);
}

/// Words whose answer depends on how and how often it was asked; false when `word` is none of them.
bool react_by_history(Reaction& reaction, const Question& question, const Word& word, bool over_tcp,
                      unsigned times_before) {
  const Bytes answer = make_answer(question, data());
  if (word.name == "twice") {
    reaction.replies.insert(reaction.replies.end(), 2, {0, answer});
  } else if (word.name == "drop-first") {
    if (times_before > 0) reaction.replies.push_back({0, answer});
  } else if (word.name == "tc" || word.name == "tc-slow-aaaa") {
    const bool gets_none = !over_tcp && word.name != "tc" && question.type == kTypeAaaa;
    if (!gets_none) reaction.replies.push_back({0, over_tcp ? answer : truncated_answer(question)});
  } else if (word.name == "eof" || word.name == "reset") {
    if (over_tcp) reaction.conduct = word.name == "eof" ? Conduct::kEnd : Conduct::kReset;
  } else {
    return word.name == "silent";
  }
  return true;
}

}  // namespace

Reaction react(const Question& question, bool over_tcp, unsigned times_before) {
  Reaction reaction;
  for (const Word& word : words_of(question)) {
    if (react_by_history(reaction, question, word, over_tcp, times_before)) continue;
    Bytes message = plain_answer(question, word);
    if (message.empty()) message = wrong_answer(question, word);
    if (message.empty()) die("no such answer: " + question.name);
    reaction.replies.push_back({word.name == "delay" ? word.number : 0, std::move(message)});
    if (word.name == "pieces") reaction.conduct = Conduct::kAnswerInPieces;
  }
  return reaction;
}

}  // namespace connscope::actor
