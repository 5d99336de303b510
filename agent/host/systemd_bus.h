// SPDX-License-Identifier: Apache-2.0
//
// SystemdBus: asks systemd over D-Bus. There is a property for each thing to know of each unit, and all are asked for
// at once rather than one after the other. An answer that takes longer than a second is waited for no more: the
// collecting thread has other work, and the connection is made anew next time.
// Owns the connection. The collecting thread only. Source: org.freedesktop.systemd1(5), sd-bus(3).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/base/result.h"
#include "agent/host/service_manager.h"

struct sd_bus;

namespace connscope::host {

class SystemdBus {
 public:
  /// Makes a connection: 0, or a negative errno value.
  using Connect = std::function<int(sd_bus** bus)>;

  /// To the system's bus, and where that lacks to systemd itself, which takes root alone.
  SystemdBus();
  explicit SystemdBus(Connect connect);

  /// Nothing where there is no systemd.
  Result<std::optional<ServiceManager>> read(const UnitWishes& wishes);

 private:
  struct Close {
    void operator()(sd_bus* bus) const;
  };

  Result<std::optional<ServiceManager>> read_once(const UnitWishes& wishes);

  Connect connect_;
  std::unique_ptr<sd_bus, Close> bus_;
};

}  // namespace connscope::host
