// SPDX-License-Identifier: Apache-2.0
//
// Kernel: what collectors ask of the host: files below a few roots, and the calls that have no file. An interface, so
// that collectors are functions of what they are given: tests answer from a fixture tree, fuzz targets from memory.
// The collecting thread only. What a call returned as a view is valid until the next call.
// Errors are errno values, since a file that lacks is the common case and no reason to make a message.
#pragma once

#include <sys/timex.h>
#include <sys/utsname.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/host/service_manager.h"

namespace connscope::host {

/// What paths are relative to (--path.procfs, --path.sysfs, --path.rootfs, --path.udev.data).
/// kAbsolute: paths are from the root of what this process sees, without their first slash.
enum class Root { kProc, kSys, kRoot, kUdev, kAbsolute };

struct Content {
  std::string_view text;
  int error = 0;

  [[nodiscard]] explicit operator bool() const { return error == 0; }
  /// The kernel has no such file, or no such device behind it: no data, not a failure.
  [[nodiscard]] bool missing() const { return is_missing(error); }
  [[nodiscard]] static bool is_missing(int error) {
    return error == ENOENT || error == ENOTDIR || error == ENODEV || error == ENXIO || error == EOPNOTSUPP;
  }
};

struct Listing {
  std::vector<std::string> names;  ///< sorted, without "." and ".."
  int error = 0;
};

/// Parts of a path, which are joined as they are: {"class/net/", device, "/mtu"}.
using Path = std::initializer_list<std::string_view>;

/// Who drives a network device.
struct Driver {
  std::string name;
  std::string version;
  std::string firmware;
  std::string bus;
  std::string rom_version;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  /// The whole file.
  virtual Content read(Root root, Path path) = 0;
  virtual Listing list(Root root, Path path) = 0;
  /// What a symbolic link says.
  virtual Content link(Root root, Path path) = 0;
  /// When the file was written, in nanoseconds of Unix time; 0 when there is none.
  virtual std::int64_t modified(Root root, Path path) = 0;
  /// The path as the system knows it, for calls that take one.
  [[nodiscard]] virtual std::string path(Root root, Path path) const = 0;

  virtual std::optional<Driver> driver(const std::string& device) = 0;
  /// What the driver counts, under its own names.
  virtual std::vector<std::pair<std::string, std::uint64_t>> driver_statistics(const std::string& device) = 0;
  /// Nothing where there is none.
  virtual Result<std::optional<ServiceManager>> service_manager(const UnitWishes& wishes) = 0;
  virtual int uname(utsname& name) = 0;
  /// adjtimex(2) without a change; its return value, or -1.
  virtual int clock_state(timex& state) = 0;
  [[nodiscard]] virtual std::chrono::system_clock::time_point now() = 0;

  // The commonest contents, by read().
  /// The first line, without what surrounds it; empty when the file lacks.
  std::string_view line(Root root, Path path);
  std::optional<std::uint64_t> number(Root root, Path path);
  std::optional<std::int64_t> integer(Root root, Path path);
};

}  // namespace connscope::host
