// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/receiver.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/base/thread_rights.h"

namespace connscope::ingest {
namespace {

constexpr std::size_t kPackets = 64;              // a system call
constexpr std::size_t kPacketBytes = 64U << 10U;  // the longest that UDP has; pages that no packet reaches cost nothing
// From one packet's place to the next: a power of two would have all of them meet in the same few lines of each cache.
constexpr std::size_t kStride = kPacketBytes + 1472;
constexpr int kGatherMs = 1;
constexpr int kRounds = 64;  // before the other socket has its turn

/// The sender's, as the kernel vouches for them; pid 0 when there are none.
ucred credentials_of(const msghdr& header) {
  ucred found{};
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header), control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_CREDENTIALS)
      std::memcpy(&found, CMSG_DATA(control), sizeof(found));
  }
  return found;
}

struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> bytes;
};

/// Of the packet that is next, which stays where it is.
ucred next_credentials(int fd) {
  Control control{};
  msghdr header{};
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  return ::recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT) >= 0 ? credentials_of(header) : ucred{};
}

/// Room for the packets of one system call.
class Batch {
 public:
  Batch() : bytes_(std::make_unique_for_overwrite<char[]>(kPackets * kStride)) {
    for (std::size_t i = 0; i < kPackets; ++i) {
      parts_[i] = {&bytes_[i * kStride], kPacketBytes};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// How many came; 0 when none waits.
  std::size_t receive(int fd) {
    for (std::size_t i = 0; i < kPackets; ++i) {
      messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
      messages_[i].msg_hdr.msg_controllen = controls_[i].bytes.size();
    }
    const int count = ::recvmmsg(fd, messages_.data(), kPackets, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  [[nodiscard]] std::string_view packet(std::size_t at) const { return {&bytes_[at * kStride], messages_[at].msg_len}; }
  [[nodiscard]] bool is_cut(std::size_t at) const { return (messages_[at].msg_hdr.msg_flags & MSG_TRUNC) != 0; }
  [[nodiscard]] ucred credentials(std::size_t at) const { return credentials_of(messages_[at].msg_hdr); }

 private:
  std::unique_ptr<char[]> bytes_;  // not touched before a packet is there
  std::array<iovec, kPackets> parts_{};
  std::array<mmsghdr, kPackets> messages_{};
  std::array<Control, kPackets> controls_{};
};

/// All that the receiving thread keeps.
class Reading {
 public:
  Reading(Intake& intake, Senders senders) : intake_(intake), senders_(std::move(senders)) {}

  /// The last time; senders that never pause do not keep it from ending.
  void read_rest(int fd, bool has_credentials) {
    for (int turn = 0; turn < kRounds && read(fd, has_credentials); ++turn) continue;
  }

  /// Until nothing waits, or long enough. Whether there was anything.
  bool read(int fd, bool has_credentials) {
    for (int round = 0; round < kRounds; ++round) {
      if (has_credentials) meet_next(fd);
      const std::size_t count = batch_.receive(fd);
      if (count == 0) return round > 0;
      find_senders(count, has_credentials);
      intake_.with([&](Accumulator& accumulator) { add(accumulator, count); });
    }
    return true;
  }

 private:
  /// A sender may be waiting for its packet to be read, and end then (connscope_close): so it is looked at before.
  void meet_next(int fd) {
    if (const auto now = intake_.generation(); now != generation_) {
      generation_ = now;
      senders_.start_anew(intake_.wishes());
    }
    const ucred next = next_credentials(fd);
    if (next.pid > 0) (void)senders_.of_process(next.pid, next.uid, std::chrono::steady_clock::now());
  }

  void find_senders(std::size_t count, bool has_credentials) {
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      const ucred sender = has_credentials ? batch_.credentials(i) : ucred{};
      found_[i] = has_credentials ? senders_.of_process(sender.pid, sender.uid, now) : senders_.udp();
    }
  }

  void add(Accumulator& accumulator, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (batch_.is_cut(i)) {
        accumulator.refuse_packet(found_[i], Refusal::kPacketTooLong);
      } else {
        accumulator.add_packet(found_[i], batch_.packet(i));
      }
    }
  }

  Intake& intake_;
  Senders senders_;
  std::optional<std::uint64_t> generation_;  // of the rules that senders were looked at for; none so far
  Batch batch_;
  std::array<SenderPtr, kPackets> found_;
};

}  // namespace

Result<std::unique_ptr<Receiver>> Receiver::start(Sockets sockets, Intake& intake, Senders senders) {
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop) return Error::from_errno("eventfd", errno);
  std::unique_ptr<Receiver> receiver(new Receiver(std::move(sockets), std::move(stop)));
  receiver->thread_ =
      std::thread([r = receiver.get(), &intake, s = std::move(senders)]() mutable { r->run(intake, std::move(s)); });
  return receiver;
}

void Receiver::finish() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void Receiver::run(Intake& intake, Senders senders) const {
  (void)give_up_capability(CAP_NET_ADMIN);  // which is for the start of probes
  auto reading = std::make_unique<Reading>(intake, std::move(senders));
  std::array<pollfd, 3> waits{
      {{stop_.get(), POLLIN, 0}, {sockets_.unix_socket.fd(), POLLIN, 0}, {sockets_.udp.get(), POLLIN, 0}}};
  // UDP's queue is long: while packets come, they gather for a moment, since waking up for each costs more than they
  // do. Those of the unix socket do not, as their senders may wait for room.
  bool gathers = false;
  for (;;) {
    waits[2].fd = gathers ? -1 : sockets_.udp.get();
    if (::poll(waits.data(), waits.size(), gathers ? kGatherMs : -1) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) break;
    if (waits[1].revents != 0) reading->read(waits[1].fd, true);
    if (gathers || waits[2].revents != 0) gathers = reading->read(sockets_.udp.get(), false);
  }
  reading->read_rest(sockets_.unix_socket.fd(), true);
  reading->read_rest(sockets_.udp.get(), false);
}

}  // namespace connscope::ingest
