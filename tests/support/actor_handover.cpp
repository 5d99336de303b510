// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_handover.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/support/actor_arguments.h"

namespace connscope::actor {
namespace {

void fail(const std::string& what) { die(what + ": " + std::strerror(errno)); }

pid_t fork_or_die() {
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  return child;
}

void await_child(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) die("the child failed");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

/// One byte of data, for a message without any carries no descriptor.
struct Message {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

void send_descriptor(int channel, int fd) {
  Message message;
  cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(part), &fd, sizeof(fd));
  if (::sendmsg(channel, &message.header, 0) != 1) fail("sendmsg");
}

}  // namespace

bool leave_to_child(std::vector<UniqueFd>& connections) {
  const pid_t child = fork_or_die();
  if (child == 0) return false;
  connections.clear();
  await_child(child);
  return true;
}

void pass_connection(UniqueFd connection, const std::string& path, const std::vector<std::string>& steps) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) fail("socketpair");
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::string channel = std::to_string(theirs.get());
  const std::string rest = joined(steps);
  const pid_t child = fork_or_die();
  if (child == 0) {
    ::execl(path.c_str(), path.c_str(), "receive", channel.c_str(), "--do", rest.c_str(), nullptr);
    fail(path);
  }
  theirs.reset();
  send_descriptor(ours.get(), connection.get());
  connection.reset();
  await_child(child);
}

UniqueFd receive_connection(int channel) {
  Message message;
  if (::recvmsg(channel, &message.header, MSG_CMSG_CLOEXEC) != 1) fail("recvmsg");
  const cmsghdr* part = CMSG_FIRSTHDR(&message.header);
  if (part == nullptr || part->cmsg_type != SCM_RIGHTS) die("no descriptor came");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(part), sizeof(fd));
  return UniqueFd(fd);
}

}  // namespace connscope::actor
