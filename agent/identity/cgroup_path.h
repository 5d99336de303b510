// SPDX-License-Identifier: Apache-2.0
//
// What a cgroup's path tells of a process: its systemd unit and its container. Pure functions; the views that they
// return point into `path` and are empty when it has no such thing. Any thread.
// Sources: systemd's "Control Group APIs and Delegation"; the layouts of Docker, containerd, CRI-O, Podman, Kubernetes.
#pragma once

#include <string_view>

namespace connscope::identity {

/// The first component that is a service, scope, socket, mount or swap unit. Below a user's manager (user@UID.service)
/// it is the unit of that manager when there is one. The "_" that systemd puts before names which the kernel would
/// misread is taken away.
[[nodiscard]] std::string_view systemd_unit(std::string_view path);

/// The id (64 hex digits) of the innermost container, as runtimes name its cgroup: "ID", "docker-ID.scope",
/// "cri-containerd-ID.scope", "libpod-ID.scope", "crio-ID.scope". A cgroup of the runtime's own monitor
/// ("libpod-conmon-ID.scope") is no container.
[[nodiscard]] std::string_view container_id(std::string_view path);

}  // namespace connscope::identity
