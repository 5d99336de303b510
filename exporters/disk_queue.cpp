// SPDX-License-Identifier: Apache-2.0
#include "exporters/disk_queue.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "agent/base/file.h"

namespace connscope::exporters {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".entry";
/// Digits enough for any number, so that names sort as numbers do.
constexpr std::size_t kDigits = 20;
/// What is being written; one that is there at the start was never finished.
constexpr const char* kUnfinished = "unfinished";

/// Before the bytes of an entry in its file, in the machine's own order: a queue does not move between machines.
struct Header {
  std::array<char, 8> magic;
  std::uint64_t length;
  std::uint64_t checksum;
};
constexpr std::array<char, 8> kMagic{'c', 'x', 'q', 'u', 'e', 'u', 'e', '1'};

Header header_of(std::string_view entry) { return {kMagic, entry.size(), XXH64(entry.data(), entry.size(), 0)}; }

/// A file takes whole blocks, and an empty one its place in the folder.
std::uint64_t on_disk(std::uint64_t size) {
  constexpr std::uint64_t kBlock = 4096;
  return (size / kBlock + 1) * kBlock;
}

std::string name_of(DiskQueue::Number number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0').append(digits).append(kSuffix);
}

std::optional<DiskQueue::Number> number_of(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  DiskQueue::Number number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number);
  if (error != std::errc() || end != name.data() + kDigits) return std::nullopt;
  return number;
}

Status write_all(int file, const void* bytes, std::size_t size) {
  const char* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(file, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::from_errno("write", errno);
    next += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

}  // namespace

Result<DiskQueue> DiskQueue::open(const std::string& folder, std::uint64_t max_bytes) {
  std::error_code error;
  if (fs::create_directories(folder, error) && !error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return Error(folder + ": cannot be made: " + error.message(), error.value());
  UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error::from_errno(folder, errno);
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Error(folder + ": is the queue of another exporter", errno);
    return Error::from_errno(folder + ": flock", errno);
  }
  DiskQueue queue(folder, std::move(directory), max_bytes);
  if (auto found = queue.find_entries(); !found) return found.error();
  return queue;
}

Status DiskQueue::find_entries() {
  ::unlinkat(directory_.get(), kUnfinished, 0);
  std::error_code error;
  for (fs::directory_iterator file(folder_, error), end; !error && file != end; file.increment(error)) {
    const auto number = number_of(file->path().filename().native());
    std::error_code gone;
    const std::uint64_t size = number ? file->file_size(gone) : 0;
    if (!number || gone) continue;
    entries_[*number] = on_disk(size);
    bytes_ += on_disk(size);
  }
  if (error) return Error(folder_ + ": cannot be read: " + error.message(), error.value());
  return {};
}

Result<std::uint64_t> DiskQueue::push(std::string_view entry) {
  const std::uint64_t size = on_disk(sizeof(Header) + entry.size());
  if (size > max_bytes_)
    return Error(folder_ + ": an entry of " + std::to_string(size) + " bytes has no room in " +
                 std::to_string(max_bytes_));
  const Number number = entries_.empty() ? 0 : entries_.rbegin()->first + 1;
  if (auto written = write(name_of(number), entry); !written) {
    ::unlinkat(directory_.get(), kUnfinished, 0);
    return written.error().context(folder_);
  }
  std::uint64_t dropped = 0;  // not before the new one is safe
  for (; !entries_.empty() && bytes_ + size > max_bytes_; ++dropped) remove(entries_.begin()->first);
  entries_[number] = size;
  bytes_ += size;
  return dropped;
}

Status DiskQueue::write(const std::string& name, std::string_view entry) const {
  const UniqueFd file(::openat(directory_.get(), kUnfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return Error::from_errno("open", errno);
  const Header header = header_of(entry);
  if (auto written = write_all(file.get(), &header, sizeof(header)); !written) return written;
  if (auto written = write_all(file.get(), entry.data(), entry.size()); !written) return written;
  if (::fdatasync(file.get()) != 0) return Error::from_errno("fdatasync", errno);
  if (::renameat(directory_.get(), kUnfinished, directory_.get(), name.c_str()) != 0)
    return Error::from_errno("rename", errno);
  ::fsync(directory_.get());  // the name; without it the entry is lost with the power, as one that came later would be
  return {};
}

std::optional<DiskQueue::Number> DiskQueue::oldest() const {
  return entries_.empty() ? std::nullopt : std::optional(entries_.begin()->first);
}

Result<std::optional<std::string>> DiskQueue::read(Number number) const {
  const auto entry = entries_.find(number);
  if (entry == entries_.end()) return std::optional<std::string>();
  auto bytes = read_file(folder_ + "/" + name_of(number), entry->second);
  if (!bytes && (bytes.error().code() == EMFILE || bytes.error().code() == ENFILE || bytes.error().code() == ENOMEM))
    return bytes.error();
  Header header{};
  if (!bytes || bytes->size() < sizeof(header)) return std::optional<std::string>();
  std::memcpy(&header, bytes->data(), sizeof(header));
  bytes->erase(0, sizeof(header));
  const Header wanted = header_of(*bytes);
  if (std::memcmp(&header, &wanted, sizeof(header)) != 0) return std::optional<std::string>();
  return std::optional(std::move(*bytes));
}

void DiskQueue::remove(Number number) {
  const auto entry = entries_.find(number);
  if (entry == entries_.end()) return;
  ::unlinkat(directory_.get(), name_of(number).c_str(), 0);
  bytes_ -= entry->second;
  entries_.erase(entry);
}

}  // namespace connscope::exporters
