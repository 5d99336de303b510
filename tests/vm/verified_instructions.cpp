// SPDX-License-Identifier: Apache-2.0
//
// How many instructions the kernel's verifier walks through for each BPF program: loads each program of the objects
// that it is given, alone and with nothing attached, and prints "OBJECT PROGRAM INSTRUCTIONS" for each, tab-separated.
// Where a program cannot be loaded the number's place has a word, and a fourth column the reason:
//   no_hook   the kernel lacks what the program hangs on
//   refused   the host's policy forbids that type of program
//   rejected  the verifier, or an older kernel, does not take it
// Objects stand under the name "FOLDER/NAME" of their file FOLDER/NAME.bpf.o.
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

// The verifier's statistics alone, without a line for each instruction; since Linux 5.2.
constexpr std::uint32_t kLogStatistics = 4;
constexpr std::size_t kLogBytes = 1U << 16U;

struct ObjectCloser {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, ObjectCloser>;

struct Verdict {
  std::string instructions;
  std::string reason;
};

std::string& libbpf_said() {
  static std::string text;
  return text;
}

[[gnu::format(printf, 2, 0)]] int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::vector<char> line(1024);
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  libbpf_said() += line.data();
  return length;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The number of "processed N insns"; empty when the verifier did not come so far.
std::string processed(const std::string& log) {
  static constexpr std::string_view kBefore = "processed ";
  const std::size_t at = log.rfind(kBefore);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kBefore.size();
  return log.substr(begin, log.find(' ', begin) - begin);
}

/// What the verifier does not like is the last line before its statistics that quotes no source; empty when it likes
/// all.
std::string complaint(const std::string& log) {
  std::istringstream lines(log.substr(0, std::min(log.find("verification time"), log.find("processed "))));
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != ';') last = line;
  }
  return last;
}

Verdict explain(int error, const std::string& log) {
  const std::string said = first_line(libbpf_said());
  if (const std::string why = complaint(log); !why.empty()) return {"rejected", why};
  if (error == -EPERM) return {"refused", std::strerror(EPERM)};  // NOLINT(concurrency-mt-unsafe)
  if (error == -ESRCH || error == -ENOENT) return {"no_hook", said};
  return {"rejected", said.empty() ? std::strerror(-error) : said};  // NOLINT(concurrency-mt-unsafe)
}

Object open_object(const std::string& path) {
  Object object(bpf_object__open_file(path.c_str(), nullptr));
  if (object) return object;
  std::cerr << path << " cannot be opened: " << std::strerror(errno) << '\n';  // NOLINT(concurrency-mt-unsafe)
  std::exit(1);                                                                // NOLINT(concurrency-mt-unsafe)
}

Verdict load_alone(const std::string& path, const std::string& name) {
  const Object object = open_object(path);
  std::vector<char> log(kLogBytes, '\0');
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object.get()) {
    const bool wanted = bpf_program__name(program) == name;
    bpf_program__set_autoload(program, wanted);
    if (!wanted) continue;
    bpf_program__set_log_level(program, kLogStatistics);
    bpf_program__set_log_buf(program, log.data(), log.size());
  }
  libbpf_said().clear();
  const int error = bpf_object__load(object.get());
  const std::string text(log.data());
  if (error != 0) return explain(error, text);
  return {processed(text), {}};
}

std::string name_of(const std::filesystem::path& path) {
  const std::string file = path.filename().string();
  return path.parent_path().filename().string() + "/" + file.substr(0, file.find('.'));
}

void print_object(const std::string& path) {
  std::vector<std::string> names;
  const Object object = open_object(path);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object.get()) names.emplace_back(bpf_program__name(program));
  for (const std::string& name : names) {
    const Verdict verdict = load_alone(path, name);
    std::cout << name_of(path) << '\t' << name << '\t' << verdict.instructions;
    if (!verdict.reason.empty()) std::cout << '\t' << verdict.reason;
    std::cout << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "Usage: verified_instructions FOLDER/NAME.bpf.o...\n";
    return 2;
  }
  libbpf_set_print(keep_warning);
  for (int i = 1; i < argc; ++i) print_object(argv[i]);
  return 0;
}
