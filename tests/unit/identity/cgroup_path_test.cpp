// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/cgroup_path.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::identity {
namespace {

const std::string kId = "0f3b2c9a7d5e4f60819234abcdef56780f3b2c9a7d5e4f60819234abcdef5678";
const std::string kInner = "a94e1fd1c0b6465aa94e1fd1c0b6465aa94e1fd1c0b6465aa94e1fd1c0b6465a";
const std::string kPod = "pod7c1f0c1e_4b5d_4f0e_9c39_0d1f9d6f1f10.slice";

TEST(SystemdUnit, SystemServices) {
  EXPECT_EQ(systemd_unit("/system.slice/ssh.service"), "ssh.service");
  EXPECT_EQ(systemd_unit("/system.slice/system-postgresql.slice/postgresql@15-main.service"),
            "postgresql@15-main.service");
  EXPECT_EQ(systemd_unit("/init.scope"), "init.scope");
  EXPECT_EQ(systemd_unit("/system.slice/dbus.socket"), "dbus.socket");
  EXPECT_EQ(systemd_unit("/system.slice/dev-hugepages.mount"), "dev-hugepages.mount");
  EXPECT_EQ(systemd_unit("/system.slice/dev-sda2.swap"), "dev-sda2.swap");
}

TEST(SystemdUnit, BelowTheUnitNothingCounts) {
  EXPECT_EQ(systemd_unit("/system.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service"),
            "systemd-nspawn@web.service");
  EXPECT_EQ(systemd_unit("/machine.slice/libpod-" + kId + ".scope/container"), "libpod-" + kId + ".scope");
}

TEST(SystemdUnit, Sessions) {
  EXPECT_EQ(systemd_unit("/user.slice/user-1000.slice/session-2.scope"), "session-2.scope");
}

TEST(SystemdUnit, UserManagersGiveTheirOwnUnits) {
  const std::string manager = "/user.slice/user-1000.slice/user@1000.service";
  EXPECT_EQ(systemd_unit(manager + "/app.slice/app-org.mozilla.firefox-4211.scope"),
            "app-org.mozilla.firefox-4211.scope");
  EXPECT_EQ(systemd_unit(manager + "/session.slice/pipewire.service"), "pipewire.service");
  EXPECT_EQ(systemd_unit(manager + "/init.scope"), "init.scope");
  EXPECT_EQ(systemd_unit(manager), "user@1000.service");
  EXPECT_EQ(systemd_unit(manager + "/app.slice"), "user@1000.service");
}

TEST(SystemdUnit, EscapedNames) {
  EXPECT_EQ(systemd_unit("/system.slice/_cpu.service"), "cpu.service");
  EXPECT_EQ(systemd_unit("/system.slice/__x.service"), "_x.service");
}

TEST(SystemdUnit, NoUnit) {
  EXPECT_EQ(systemd_unit(""), "");
  EXPECT_EQ(systemd_unit("/"), "");
  EXPECT_EQ(systemd_unit("/user.slice"), "");
  EXPECT_EQ(systemd_unit("/docker/" + kId), "");
  EXPECT_EQ(systemd_unit("/system.slice/.service"), "");
  EXPECT_EQ(systemd_unit("//"), "");
}

TEST(ContainerId, Docker) {
  EXPECT_EQ(container_id("/system.slice/docker-" + kId + ".scope"), kId);
  EXPECT_EQ(container_id("/docker/" + kId), kId);
  EXPECT_EQ(container_id("/docker/" + kId + "/system.slice/nginx.service"), kId);
}

TEST(ContainerId, Podman) {
  EXPECT_EQ(container_id("/machine.slice/libpod-" + kId + ".scope/container"), kId);
  EXPECT_EQ(container_id("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope"), kId);
}

TEST(ContainerId, Kubernetes) {
  const std::string slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + kPod;
  EXPECT_EQ(container_id(slice + "/cri-containerd-" + kId + ".scope"), kId);
  EXPECT_EQ(container_id(slice + "/crio-" + kId + ".scope"), kId);
  EXPECT_EQ(container_id("/kubepods/besteffort/pod7c1f0c1e-4b5d-4f0e-9c39-0d1f9d6f1f10/" + kId), kId);
  EXPECT_EQ(container_id("/system.slice/containerd.service/kubepods-burstable-" + kPod + ":cri-containerd:" + kId),
            kId);
}

TEST(ContainerId, TheInnermostCounts) {
  EXPECT_EQ(container_id("/docker/" + kId + "/kubelet/kubepods/pod1/" + kInner), kInner);
}

TEST(ContainerId, MonitorsAreNoContainers) {
  EXPECT_EQ(container_id("/machine.slice/libpod-conmon-" + kId + ".scope"), "");
  EXPECT_EQ(container_id("/system.slice/crio-conmon-" + kId + ".scope"), "");
}

TEST(ContainerId, WhatOnlyLooksLikeOne) {
  EXPECT_EQ(container_id(""), "");
  EXPECT_EQ(container_id("/system.slice/ssh.service"), "");
  EXPECT_EQ(container_id("/docker/" + kId.substr(1)), "");
  EXPECT_EQ(container_id("/docker/a" + kId), "");
  EXPECT_EQ(container_id("/docker/" + kId.substr(1) + "g"), "");
  EXPECT_EQ(container_id("/system.slice/var-lib-docker-" + kId + "-merged.mount"), "");
}

}  // namespace
}  // namespace connscope::identity
