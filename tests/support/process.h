// SPDX-License-Identifier: Apache-2.0
//
// Child processes of the tests. A ChildProcess owns its child: its destructor kills the child's process group and reaps
// the child, and the kernel kills it when the test itself dies, so that no test leaves a zombie or an orphan.
// Output goes to memory files, so that a child never blocks on a reader. One thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

namespace connscope::testing {

struct SpawnOptions {
  /// argv[0] is looked up in PATH unless it has a slash.
  std::vector<std::string> argv;
  /// Network namespace that the child enters before exec; −1 stays in the test's. Borrowed for the call.
  int network_namespace = -1;
  /// A cgroup v2 folder that the child joins before exec; empty stays in the test's.
  std::string cgroup;
};

class ChildProcess {
 public:
  /// Returns when the program has been executed, so that its file may go. Ignores SIGPIPE in the calling process.
  static Result<ChildProcess> spawn(const SpawnOptions& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// To the child's standard input.
  Status write_input(std::string_view text);
  void close_input() { input_.reset(); }
  Status send_signal(int signal);
  /// The status as waitpid() gives it, once the child has ended. An error when `limit` passes before that.
  Result<int> wait(std::chrono::milliseconds limit);
  /// True when `text` came on standard output or standard error within `limit`; false at once when the child ended
  /// without it.
  bool await_output(std::string_view text, std::chrono::milliseconds limit);
  /// All that the child has written so far.
  [[nodiscard]] std::string standard_output() const;
  [[nodiscard]] std::string standard_error() const;

 private:
  ChildProcess(pid_t pid, UniqueFd handle, UniqueFd input, UniqueFd output, UniqueFd error);
  void end();
  [[nodiscard]] bool has_ended(int timeout_ms) const;

  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  UniqueFd handle_;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_;
};

/// Runs a program to its end; its standard output. An error when it fails, or is not done within ten seconds.
Result<std::string> run_program(const SpawnOptions& options, std::string_view input = {});

}  // namespace connscope::testing
