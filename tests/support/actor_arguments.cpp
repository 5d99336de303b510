// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_arguments.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace connscope::actor {
namespace {

long parse_number(const std::string& text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) die("not a number: " + text);
  return value;
}

std::uint16_t parse_port(const std::string& text) {
  const long value = parse_number(text);
  if (value < 0 || value > 65535) die("not a port: " + text);
  return static_cast<std::uint16_t>(value);
}

}  // namespace

void die(const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
  std::exit(2);
}

Arguments::Arguments(int argc, char** argv, const std::vector<std::string>& flags) {
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      positional_.push_back(word);
      continue;
    }
    bool is_flag = false;
    for (const std::string& flag : flags) is_flag = is_flag || word == flag;
    if (is_flag) {
      named_[word] = "";
    } else if (i + 1 < argc) {
      named_[word] = argv[++i];
    } else {
      die(word + " needs a value");
    }
  }
}

std::string Arguments::positional(std::size_t index) const {
  if (index >= positional_.size()) die("too few arguments");
  return positional_[index];
}

std::uint16_t Arguments::port(std::size_t index) const { return parse_port(positional(index)); }

long Arguments::number(const std::string& name, long otherwise) const {
  const auto found = named_.find(name);
  return found == named_.end() ? otherwise : parse_number(found->second);
}

std::uint16_t Arguments::named_port(const std::string& name) const { return parse_port(text(name, "0")); }

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto found = named_.find(name);
  return found == named_.end() ? otherwise : found->second;
}

long Step::number() const { return parse_number(value); }

Step parse_step(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  return {text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))};
}

std::vector<std::string> split_steps(const std::string& steps) {
  std::vector<std::string> words;
  std::istringstream text(steps);
  for (std::string word; std::getline(text, word, ',');) words.push_back(word);
  return words;
}

}  // namespace connscope::actor
