// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "tests/support/eventually.h"

namespace connscope::testing {
namespace {

constexpr int kNoExecStatus = 127;

/// What the child needs between fork and exec, made before the fork: after it, only plain system calls are safe.
struct Prepared {
  std::vector<char*> argv;
  UniqueFd input_read;
  UniqueFd input_write;
  UniqueFd output;
  UniqueFd error;
  UniqueFd cgroup_procs;
  /// Closed by a successful exec; what comes through it before that is the reason of a failure.
  UniqueFd trouble_read;
  UniqueFd trouble_write;
};

/// Appended to, as writes of several threads to one place of a memory file would go over each other.
UniqueFd memory_file(const char* name) {
  UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  if (file && ::fcntl(file.get(), F_SETFL, O_APPEND) != 0) file.reset();
  return file;
}

Result<Prepared> prepare(const SpawnOptions& options) {
  Prepared prepared;
  for (const std::string& word : options.argv) prepared.argv.push_back(const_cast<char*>(word.c_str()));
  prepared.argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe2", errno);
  prepared.input_read.reset(ends[0]);
  prepared.input_write.reset(ends[1]);
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe2", errno);
  prepared.trouble_read.reset(ends[0]);
  prepared.trouble_write.reset(ends[1]);
  prepared.output = memory_file("stdout");
  prepared.error = memory_file("stderr");
  if (!prepared.output || !prepared.error) return Error::from_errno("memfd_create", errno);
  if (!options.cgroup.empty()) {
    prepared.cgroup_procs.reset(::open((options.cgroup + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!prepared.cgroup_procs) return Error::from_errno(options.cgroup + "/cgroup.procs", errno);
  }
  return prepared;
}

[[noreturn]] void give_up(const Prepared& prepared, std::string_view what) {
  // Nothing can be done where even this fails; the exit status tells.
  [[maybe_unused]] const ssize_t written = ::write(prepared.trouble_write.get(), what.data(), what.size());
  ::_exit(kNoExecStatus);
}

[[noreturn]] void become_program(const Prepared& prepared, int network_namespace, pid_t parent) {
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) give_up(prepared, "the test has ended");
  if (prepared.cgroup_procs && ::write(prepared.cgroup_procs.get(), "0", 1) != 1) {
    give_up(prepared, "cannot join the cgroup");
  }
  if (network_namespace >= 0 && ::setns(network_namespace, CLONE_NEWNET) != 0) {
    give_up(prepared, "cannot enter the network namespace");
  }
  ::dup2(prepared.input_read.get(), STDIN_FILENO);
  ::dup2(prepared.output.get(), STDOUT_FILENO);
  ::dup2(prepared.error.get(), STDERR_FILENO);
  ::execvp(prepared.argv[0], prepared.argv.data());
  give_up(prepared, "cannot be executed");
}

/// Waits for the exec; the reason when there was none.
std::string await_exec(Prepared& prepared) {
  prepared.trouble_write.reset();
  std::array<char, 128> reason{};
  const ssize_t size = ::read(prepared.trouble_read.get(), reason.data(), reason.size());
  return {reason.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string read_from_start(int fd) {
  std::string text;
  std::array<char, 16384> chunk{};
  for (;;) {
    const ssize_t size = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (size <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

Result<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
  auto prepared = prepare(options);
  if (!prepared) return prepared.error();
  // A child that has ended shows as an error of the write to it.
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Error::from_errno("fork", errno);
  if (pid == 0) become_program(*prepared, options.network_namespace, parent);
  ::setpgid(pid, pid);
  UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Error::from_errno("pidfd_open", error);
  }
  if (const std::string trouble = await_exec(*prepared); !trouble.empty()) {
    ::waitpid(pid, nullptr, 0);
    return Error(options.argv[0] + ": " + trouble);
  }
  return ChildProcess(pid, std::move(handle), std::move(prepared->input_write), std::move(prepared->output),
                      std::move(prepared->error));
}

ChildProcess::ChildProcess(pid_t pid, UniqueFd handle, UniqueFd input, UniqueFd output, UniqueFd error)
    : pid_(pid),
      handle_(std::move(handle)),
      input_(std::move(input)),
      output_(std::move(output)),
      error_(std::move(error)) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      reaped_(other.reaped_),
      handle_(std::move(other.handle_)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  end();
  pid_ = std::exchange(other.pid_, -1);
  status_ = other.status_;
  reaped_ = other.reaped_;
  handle_ = std::move(other.handle_);
  input_ = std::move(other.input_);
  output_ = std::move(other.output_);
  error_ = std::move(other.error_);
  return *this;
}

ChildProcess::~ChildProcess() { end(); }

void ChildProcess::end() {
  if (pid_ < 0) return;
  if (!reaped_) {
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
}

Status ChildProcess::write_input(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(input_.get(), text.data(), text.size());
    if (written < 0) return Error::from_errno("writing to the child", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status ChildProcess::send_signal(int signal) {
  if (reaped_) return Error("the child has ended already");
  if (::kill(pid_, signal) != 0) return Error::from_errno("kill", errno);
  return {};
}

bool ChildProcess::has_ended(int timeout_ms) const {
  if (reaped_) return true;
  pollfd waiting{handle_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

Result<int> ChildProcess::wait(std::chrono::milliseconds limit) {
  if (reaped_) return status_;
  if (!has_ended(static_cast<int>(limit.count()))) {
    return Error("process " + std::to_string(pid_) + " did not end within " + std::to_string(limit.count()) + " ms");
  }
  if (::waitpid(pid_, &status_, 0) != pid_) return Error::from_errno("waitpid", errno);
  reaped_ = true;
  return status_;
}

bool ChildProcess::await_output(std::string_view text, std::chrono::milliseconds limit) {
  bool found = false;
  eventually(limit, [&] {
    // Asked before the look, so that the last words of a child that has just ended are still seen.
    const bool ended = has_ended(0);
    found = standard_output().find(text) != std::string::npos || standard_error().find(text) != std::string::npos;
    return found || ended;
  });
  return found;
}

std::string ChildProcess::standard_output() const { return read_from_start(output_.get()); }

std::string ChildProcess::standard_error() const { return read_from_start(error_.get()); }

Result<std::string> run_program(const SpawnOptions& options, std::string_view input) {
  auto child = ChildProcess::spawn(options);
  if (!child) return child.error();
  if (const Status written = child->write_input(input); !written) return written.error();
  child->close_input();
  const auto status = child->wait(std::chrono::seconds(10));
  if (!status) return status.error().context(options.argv[0]);
  if (*status != 0) {
    return Error(options.argv[0] + " failed: " + child->standard_output() + child->standard_error());
  }
  return child->standard_output();
}

}  // namespace connscope::testing
