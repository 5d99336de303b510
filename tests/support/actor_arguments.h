// SPDX-License-Identifier: Apache-2.0
//
// The words that the actors are given: arguments, and steps that are done one after the other. A wrong one ends the
// program with status 2 and a message: it is a mistake in a test.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace connscope::actor {

[[noreturn]] void die(const std::string& message);

/// The arguments after the subcommand: those without dashes in order, and `--name [value]` pairs.
class Arguments {
 public:
  /// `flags` take no value; every other `--name` takes one.
  Arguments(int argc, char** argv, const std::vector<std::string>& flags);

  [[nodiscard]] std::string positional(std::size_t index) const;
  [[nodiscard]] std::uint16_t port(std::size_t index) const;
  [[nodiscard]] bool has(const std::string& name) const { return named_.count(name) != 0; }
  [[nodiscard]] long number(const std::string& name, long otherwise) const;
  /// 0 where it is not given.
  [[nodiscard]] std::uint16_t named_port(const std::string& name) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const;

 private:
  std::vector<std::string> positional_;
  std::map<std::string, std::string> named_;
};

/// "NAME" or "NAME:VALUE".
struct Step {
  std::string name;
  std::string value;

  [[nodiscard]] long number() const;
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(number()); }
};

Step parse_step(const std::string& text);

/// The words between the commas.
std::vector<std::string> split_steps(const std::string& steps);

}  // namespace connscope::actor
