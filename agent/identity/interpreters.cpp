// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/interpreters.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "agent/base/take_until.h"
#include "agent/config/message.h"
#include "bpf/include/fnv.h"
#include "bpf/process/command_line.h"

namespace {

using connscope::identity::Interpreter;
using connscope::identity::InterpreterOption;

constexpr std::array<Interpreter, 22> kInterpreters{{
    {"python", INTERPRETER_PYTHON},    {"pypy", INTERPRETER_PYTHON},      {"node", INTERPRETER_NODE},
    {"nodejs", INTERPRETER_NODE},      {"java", INTERPRETER_JAVA},        {"ruby", INTERPRETER_RUBY},
    {"jruby", INTERPRETER_RUBY},       {"truffleruby", INTERPRETER_RUBY}, {"perl", INTERPRETER_PERL},
    {"php", INTERPRETER_PHP},          {"php-cli", INTERPRETER_PHP},      {"sh", INTERPRETER_SHELL},
    {"bash", INTERPRETER_SHELL},       {"dash", INTERPRETER_SHELL},       {"zsh", INTERPRETER_SHELL},
    {"zsh-static", INTERPRETER_SHELL}, {"ash", INTERPRETER_SHELL},        {"ksh", INTERPRETER_SHELL},
    {"mksh", INTERPRETER_SHELL},       {"yash", INTERPRETER_SHELL},       {"bash-static", INTERPRETER_SHELL},
    {"busybox", INTERPRETER_BUSYBOX},
}};

// What is in no table is a flag when it looks like an option. Of letters in one argument (-euo) each is looked up.
constexpr InterpreterOption kOptions[] = {
    {INTERPRETER_PYTHON, "-", OPTION_CODE},
    {INTERPRETER_PYTHON, "--", OPTION_END},
    {INTERPRETER_PYTHON, "-c", OPTION_CODE},
    {INTERPRETER_PYTHON, "-m", OPTION_PROGRAM},
    {INTERPRETER_PYTHON, "-W", OPTION_VALUE},
    {INTERPRETER_PYTHON, "-X", OPTION_VALUE},
    {INTERPRETER_PYTHON, "-Q", OPTION_VALUE},
    {INTERPRETER_PYTHON, "--check-hash-based-pycs", OPTION_VALUE},

    {INTERPRETER_NODE, "-", OPTION_CODE},
    {INTERPRETER_NODE, "--", OPTION_END},
    {INTERPRETER_NODE, "-e", OPTION_CODE},
    {INTERPRETER_NODE, "--eval", OPTION_CODE},
    {INTERPRETER_NODE, "-p", OPTION_CODE},
    {INTERPRETER_NODE, "-pe", OPTION_CODE},
    {INTERPRETER_NODE, "--print", OPTION_CODE},
    {INTERPRETER_NODE, "inspect", OPTION_FLAG},
    {INTERPRETER_NODE, "-r", OPTION_VALUE},
    {INTERPRETER_NODE, "--require", OPTION_VALUE},
    {INTERPRETER_NODE, "--import", OPTION_VALUE},
    {INTERPRETER_NODE, "--loader", OPTION_VALUE},
    {INTERPRETER_NODE, "--experimental-loader", OPTION_VALUE},
    {INTERPRETER_NODE, "-C", OPTION_VALUE},
    {INTERPRETER_NODE, "--conditions", OPTION_VALUE},
    {INTERPRETER_NODE, "--cpu-prof-dir", OPTION_VALUE},
    {INTERPRETER_NODE, "--diagnostic-dir", OPTION_VALUE},
    {INTERPRETER_NODE, "--disable-warning", OPTION_VALUE},
    {INTERPRETER_NODE, "--dns-result-order", OPTION_VALUE},
    {INTERPRETER_NODE, "--env-file", OPTION_VALUE},
    {INTERPRETER_NODE, "--icu-data-dir", OPTION_VALUE},
    {INTERPRETER_NODE, "--input-type", OPTION_VALUE},
    {INTERPRETER_NODE, "--inspect-port", OPTION_VALUE},
    {INTERPRETER_NODE, "--max-http-header-size", OPTION_VALUE},
    {INTERPRETER_NODE, "--openssl-config", OPTION_VALUE},
    {INTERPRETER_NODE, "--redirect-warnings", OPTION_VALUE},
    {INTERPRETER_NODE, "--secure-heap", OPTION_VALUE},
    {INTERPRETER_NODE, "--title", OPTION_VALUE},
    {INTERPRETER_NODE, "--tls-cipher-list", OPTION_VALUE},
    {INTERPRETER_NODE, "--tls-keylog", OPTION_VALUE},
    {INTERPRETER_NODE, "--unhandled-rejections", OPTION_VALUE},
    {INTERPRETER_NODE, "--watch-path", OPTION_VALUE},

    {INTERPRETER_JAVA, "-jar", OPTION_PROGRAM},
    {INTERPRETER_JAVA, "-m", OPTION_PROGRAM},
    {INTERPRETER_JAVA, "--module", OPTION_PROGRAM},
    {INTERPRETER_JAVA, "-cp", OPTION_VALUE},
    {INTERPRETER_JAVA, "-classpath", OPTION_VALUE},
    {INTERPRETER_JAVA, "--class-path", OPTION_VALUE},
    {INTERPRETER_JAVA, "-p", OPTION_VALUE},
    {INTERPRETER_JAVA, "--module-path", OPTION_VALUE},
    {INTERPRETER_JAVA, "--upgrade-module-path", OPTION_VALUE},
    {INTERPRETER_JAVA, "--add-modules", OPTION_VALUE},
    {INTERPRETER_JAVA, "--add-exports", OPTION_VALUE},
    {INTERPRETER_JAVA, "--add-opens", OPTION_VALUE},
    {INTERPRETER_JAVA, "--add-reads", OPTION_VALUE},
    {INTERPRETER_JAVA, "--patch-module", OPTION_VALUE},
    {INTERPRETER_JAVA, "--limit-modules", OPTION_VALUE},
    {INTERPRETER_JAVA, "--enable-native-access", OPTION_VALUE},
    {INTERPRETER_JAVA, "--source", OPTION_VALUE},
    {INTERPRETER_JAVA, "-d", OPTION_CODE},
    {INTERPRETER_JAVA, "--describe-module", OPTION_CODE},

    {INTERPRETER_RUBY, "-", OPTION_CODE},
    {INTERPRETER_RUBY, "--", OPTION_END},
    {INTERPRETER_RUBY, "-e", OPTION_CODE},
    {INTERPRETER_RUBY, "-I", OPTION_VALUE},
    {INTERPRETER_RUBY, "-r", OPTION_VALUE},
    {INTERPRETER_RUBY, "-E", OPTION_VALUE},
    {INTERPRETER_RUBY, "-C", OPTION_VALUE},
    {INTERPRETER_RUBY, "-X", OPTION_VALUE},
    {INTERPRETER_RUBY, "-F", OPTION_REST},
    {INTERPRETER_RUBY, "-K", OPTION_REST},
    {INTERPRETER_RUBY, "-T", OPTION_REST},
    {INTERPRETER_RUBY, "-W", OPTION_REST},
    {INTERPRETER_RUBY, "-i", OPTION_REST},
    {INTERPRETER_RUBY, "-x", OPTION_REST},
    {INTERPRETER_RUBY, "--enable", OPTION_VALUE},
    {INTERPRETER_RUBY, "--disable", OPTION_VALUE},
    {INTERPRETER_RUBY, "--encoding", OPTION_VALUE},
    {INTERPRETER_RUBY, "--external-encoding", OPTION_VALUE},
    {INTERPRETER_RUBY, "--internal-encoding", OPTION_VALUE},

    {INTERPRETER_PERL, "-", OPTION_CODE},
    {INTERPRETER_PERL, "--", OPTION_END},
    {INTERPRETER_PERL, "-e", OPTION_CODE},
    {INTERPRETER_PERL, "-E", OPTION_CODE},
    {INTERPRETER_PERL, "-I", OPTION_VALUE},
    {INTERPRETER_PERL, "-:", OPTION_REST},  // -d:NYTProf
    {INTERPRETER_PERL, "-C", OPTION_REST},
    {INTERPRETER_PERL, "-D", OPTION_REST},
    {INTERPRETER_PERL, "-F", OPTION_REST},
    {INTERPRETER_PERL, "-M", OPTION_REST},
    {INTERPRETER_PERL, "-V", OPTION_REST},
    {INTERPRETER_PERL, "-i", OPTION_REST},
    {INTERPRETER_PERL, "-m", OPTION_REST},
    {INTERPRETER_PERL, "-x", OPTION_REST},

    {INTERPRETER_PHP, "-", OPTION_CODE},
    {INTERPRETER_PHP, "--", OPTION_CODE},  // what follows is for code from standard input
    {INTERPRETER_PHP, "-r", OPTION_CODE},
    {INTERPRETER_PHP, "--run", OPTION_CODE},
    {INTERPRETER_PHP, "-B", OPTION_CODE},
    {INTERPRETER_PHP, "--process-begin", OPTION_CODE},
    {INTERPRETER_PHP, "-R", OPTION_CODE},
    {INTERPRETER_PHP, "--process-code", OPTION_CODE},
    {INTERPRETER_PHP, "-E", OPTION_CODE},
    {INTERPRETER_PHP, "--process-end", OPTION_CODE},
    {INTERPRETER_PHP, "-f", OPTION_PROGRAM},
    {INTERPRETER_PHP, "--file", OPTION_PROGRAM},
    {INTERPRETER_PHP, "-F", OPTION_PROGRAM},
    {INTERPRETER_PHP, "--process-file", OPTION_PROGRAM},
    {INTERPRETER_PHP, "-c", OPTION_VALUE},
    {INTERPRETER_PHP, "--php-ini", OPTION_VALUE},
    {INTERPRETER_PHP, "-d", OPTION_VALUE},
    {INTERPRETER_PHP, "--define", OPTION_VALUE},
    {INTERPRETER_PHP, "-S", OPTION_VALUE},
    {INTERPRETER_PHP, "--server", OPTION_VALUE},
    {INTERPRETER_PHP, "-t", OPTION_VALUE},
    {INTERPRETER_PHP, "--docroot", OPTION_VALUE},
    {INTERPRETER_PHP, "-z", OPTION_VALUE},
    {INTERPRETER_PHP, "--zend-extension", OPTION_VALUE},

    {INTERPRETER_SHELL, "-", OPTION_END},
    {INTERPRETER_SHELL, "--", OPTION_END},
    {INTERPRETER_SHELL, "-c", OPTION_CODE},
    {INTERPRETER_SHELL, "-s", OPTION_CODE},
    {INTERPRETER_SHELL, "-o", OPTION_NEXT},
    {INTERPRETER_SHELL, "-O", OPTION_NEXT},
    {INTERPRETER_SHELL, "--rcfile", OPTION_VALUE},
    {INTERPRETER_SHELL, "--init-file", OPTION_VALUE},
    {INTERPRETER_SHELL, "--emulate", OPTION_VALUE},

    {INTERPRETER_BUSYBOX, "busybox", OPTION_FLAG},
    {INTERPRETER_BUSYBOX, "/bin/busybox", OPTION_FLAG},
    {INTERPRETER_BUSYBOX, "/usr/bin/busybox", OPTION_FLAG},
    {INTERPRETER_BUSYBOX, "sh", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "-sh", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "/bin/sh", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "/usr/bin/sh", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "ash", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "-ash", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "/bin/ash", OPTION_SHELL},
    {INTERPRETER_BUSYBOX, "/usr/bin/ash", OPTION_SHELL},
};

/// C's arrays in a struct that the kernel half shares: the text, cut to its room, and a NUL.
template <std::size_t N>
void put(std::string_view text, char (&room)[N]) {
  const std::size_t size = std::min(text.size(), N - 1);
  std::memcpy(room, text.data(), size);
  room[size] = '\0';
}

}  // namespace

/// What the parser asks, in the kernel half a map.
COMMAND_LINE_INLINE __u32 option_meaning(const struct option_key* key) {
  const std::string_view name(key->name, strnlen(key->name, OPTION_BYTES));
  const auto* option = std::find_if(std::begin(kOptions), std::end(kOptions), [&](const InterpreterOption& candidate) {
    return static_cast<__u32>(candidate.which) == key->interpreter && candidate.name == name;
  });
  return option == std::end(kOptions) ? OPTION_UNKNOWN : option->meaning;
}

namespace connscope::identity {
namespace {

constexpr std::array<std::string_view, 18> kExtensions{".py",  ".pyc",  ".pyz", ".js",   ".mjs", ".cjs",
                                                       ".ts",  ".jar",  ".war", ".java", ".rb",  ".pl",
                                                       ".php", ".phar", ".sh",  ".bash", ".zsh", ".ksh"};

struct Language {
  std::string_view name;
  std::uint32_t interpreters;
};

constexpr std::uint32_t bit(interpreter which) { return 1U << which; }

constexpr std::array<Language, 7> kLanguages{{{"python", bit(INTERPRETER_PYTHON)},
                                              {"node", bit(INTERPRETER_NODE)},
                                              {"java", bit(INTERPRETER_JAVA)},
                                              {"ruby", bit(INTERPRETER_RUBY)},
                                              {"perl", bit(INTERPRETER_PERL)},
                                              {"php", bit(INTERPRETER_PHP)},
                                              {"shell", bit(INTERPRETER_SHELL) | bit(INTERPRETER_BUSYBOX)}}};

/// The program whose name is the last component of `path`, as the kernel half finds it.
std::optional<identity_program> program_named(const command_line& decided, std::string_view path) {
  command_line line = decided;
  if (path.size() > ARGUMENT_WINDOW - 1) path.remove_prefix(path.size() - (ARGUMENT_WINDOW - 1));
  put(path, line.text);
  command_line_name(&line);
  path.remove_prefix(line.name_at);
  if (path.empty()) return std::nullopt;
  identity_program program{};
  put(path, program.name);
  program.interpreter = line.interpreter;
  program.hash =
      fnv1a(program.name, static_cast<__u32>(strnlen(program.name, PROGRAM_NAME_BYTES)) + 1, PROGRAM_NAME_BYTES);
  return program;
}

}  // namespace

std::span<const Interpreter> interpreters() { return kInterpreters; }
std::span<const InterpreterOption> interpreter_options() { return kOptions; }

interpreter_name key_of(const Interpreter& entry) {
  interpreter_name name{};
  put(entry.stem, name.stem);
  return name;
}

option_key key_of(const InterpreterOption& entry) {
  option_key key{};
  key.interpreter = entry.which;
  put(entry.name, key.name);
  return key;
}

interpreter interpreter_of(std::string_view executable) {
  char text[INTERPRETER_BYTES]{};
  interpreter_name name{};
  put(executable, text);
  interpreter_stem(text, &name);
  const auto* found = std::find_if(kInterpreters.begin(), kInterpreters.end(),
                                   [&](const Interpreter& candidate) { return candidate.stem == name.stem; });
  return found == kInterpreters.end() ? INTERPRETER_NONE : found->which;
}

std::optional<identity_program> program_of(interpreter which, std::string_view arguments) {
  command_line line{};
  line.interpreter = which;
  while (!arguments.empty()) {
    const std::string_view argument = take_until(arguments, '\0');
    put(argument, line.text);
    command_line_take(&line);
    if (line.expects == EXPECTS_NOTHING)
      return line.is_found != 0 ? program_named(line, argument.substr(line.program_at)) : std::nullopt;
  }
  return std::nullopt;
}

std::string_view program_prefix(std::string_view program) {
  while (program.ends_with('/')) program.remove_suffix(1);
  for (const std::string_view extension : kExtensions) {
    if (program.size() > extension.size() && program.ends_with(extension)) {
      program.remove_suffix(extension.size());
      break;
    }
  }
  return program.find_first_not_of("0123456789.") == std::string_view::npos ? std::string_view() : program;
}

std::uint32_t parse_interpreters(const config::Section& section) {
  std::uint32_t all = 0;
  std::vector<std::string_view> names;
  for (const Language& language : kLanguages) {
    all |= language.interpreters;
    names.push_back(language.name);
  }
  if (!section.has("interpreters") || section.is_flag("interpreters"))
    return section.flag("interpreters", true) ? all : 0;
  const std::string allowed = "true, false, or of " + config::joined(names);
  std::uint32_t wanted = 0;
  for (const std::string& name : section.texts("interpreters", allowed)) {
    const auto* language = std::find_if(kLanguages.begin(), kLanguages.end(),
                                        [&](const Language& candidate) { return candidate.name == name; });
    if (language == kLanguages.end()) {
      section.fail("interpreters", config::in_quotes(name) + " is unknown; allowed: " + allowed);
    } else {
      wanted |= language->interpreters;
    }
  }
  return wanted;
}

}  // namespace connscope::identity
