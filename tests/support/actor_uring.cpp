// SPDX-License-Identifier: Apache-2.0
#include "tests/support/actor_uring.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "tests/support/actor_arguments.h"

namespace connscope::actor {
namespace {

/// Memory shared with the kernel, unmapped at the end.
class Mapping {
 public:
  Mapping(int ring, std::size_t size, std::uint64_t offset) : size_(size) {
    memory_ =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, static_cast<off_t>(offset));
    if (memory_ == MAP_FAILED) die(std::string("mmap of io_uring: ") + std::strerror(errno));
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(memory_, size_); }

  template <class T>
  [[nodiscard]] T* at(std::uint32_t offset) const {
    return static_cast<T*>(static_cast<void*>(static_cast<char*>(memory_) + offset));
  }

 private:
  void* memory_ = nullptr;
  std::size_t size_;
};

/// Has one request done by the kernel; its result, a negative errno where it failed.
int perform(const io_uring_sqe& request) {
  io_uring_params params{};
  const UniqueFd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 4, &params)));
  if (!ring) die(std::string("io_uring_setup: ") + std::strerror(errno));
  const Mapping submissions(ring.get(), params.sq_off.array + params.sq_entries * sizeof(std::uint32_t),
                            IORING_OFF_SQ_RING);
  const Mapping completions(ring.get(), params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe),
                            IORING_OFF_CQ_RING);
  const Mapping entries(ring.get(), params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);

  *entries.at<io_uring_sqe>(0) = request;
  *submissions.at<std::uint32_t>(params.sq_off.array) = 0;
  // The kernel reads the entry once the tail has moved.
  std::atomic_ref(*submissions.at<std::uint32_t>(params.sq_off.tail)).fetch_add(1, std::memory_order_release);

  const long submitted = ::syscall(SYS_io_uring_enter, ring.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  if (submitted != 1) die(std::string("io_uring_enter: ") + std::strerror(errno));
  const std::atomic_ref completed(*completions.at<std::uint32_t>(params.cq_off.tail));
  if (completed.load(std::memory_order_acquire) != 1) die("io_uring completed nothing");
  return completions.at<io_uring_cqe>(params.cq_off.cqes)->res;
}

}  // namespace

int connect_by_io_uring(int fd, const Address& peer) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_CONNECT;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(peer.get());
  request.off = peer.length;
  return -perform(request);
}

UniqueFd accept_by_io_uring(int listener) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_ACCEPT;
  request.fd = listener;
  const int result = perform(request);
  if (result < 0) die(std::string("accept by io_uring: ") + std::strerror(-result));
  return UniqueFd(result);
}

std::size_t send_by_io_uring(int fd, const msghdr& message, bool elsewhere) {
  io_uring_sqe request{};
  request.opcode = IORING_OP_SENDMSG;
  request.flags = elsewhere ? IOSQE_ASYNC : 0;
  request.fd = fd;
  request.addr = reinterpret_cast<std::uintptr_t>(&message);
  request.len = 1;
  const int result = perform(request);
  if (result < 0) die(std::string("send by io_uring: ") + std::strerror(-result));
  return static_cast<std::size_t>(result);
}

}  // namespace connscope::actor
