#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands for systemd on a bus of the test's own (DBUS_SYSTEM_BUS_ADDRESS), with one unit of each kind that has figures.

Prints "ready" when it can be asked. Figures do not change, so that two who read them must say the same.
"""

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.systemd1"
ROOT = "/org/freedesktop/systemd1"
# Name, load state, active state, and properties by interface.
UNITS = [
    ("web.service", "loaded", "active", {
        "Unit": {"ActiveEnterTimestamp": dbus.UInt64(1700000000250000)},
        "Service": {"Type": "notify", "NRestarts": dbus.UInt32(2), "TasksCurrent": dbus.UInt64(4),
                    "TasksMax": dbus.UInt64(1100)}}),
    ("job.service", "loaded", "failed", {
        "Unit": {"ActiveEnterTimestamp": dbus.UInt64(0)},
        "Service": {"Type": "oneshot", "NRestarts": dbus.UInt32(0), "TasksCurrent": dbus.UInt64(2**64 - 1),
                    "TasksMax": dbus.UInt64(2**64 - 1)}}),
    ("day.timer", "loaded", "active", {
        "Unit": {"ActiveEnterTimestamp": dbus.UInt64(1700000000000000)},
        "Timer": {"LastTriggerUSec": dbus.UInt64(1700000001000000)}}),
    ("api.socket", "loaded", "active", {
        "Unit": {"ActiveEnterTimestamp": dbus.UInt64(1700000000000000)},
        "Socket": {"NAccepted": dbus.UInt32(30), "NConnections": dbus.UInt32(2), "NRefused": dbus.UInt32(1)}}),
    ("gone.service", "not-found", "inactive", {}),
    ("data.mount", "loaded", "active", {"Mount": {"Type": "ext4"}}),
]


class Properties(dbus.service.Object):
    """An object with properties by the last part of their interface."""

    def __init__(self, bus, path, properties):
        super().__init__(bus, path)
        self.path, self.properties = path, properties

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        try:
            return self.properties[interface.rpartition(".")[2]][name]
        except KeyError:
            raise dbus.exceptions.DBusException(
                f"no {interface}.{name}", name="org.freedesktop.DBus.Error.UnknownProperty") from None


class Manager(Properties):
    units = ()

    @dbus.service.method(f"{NAME}.Manager", out_signature="a(ssssssouso)")
    def ListUnits(self):
        return [(name, "", load, active, "", "", unit.path, dbus.UInt32(0), "", "/")
                for (name, load, active, _), unit in zip(UNITS, self.units)]


def path_of(unit):
    """As systemd writes it: what is no letter or digit becomes its code."""
    return f"{ROOT}/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit)


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    manager = Manager(bus, ROOT, {"Manager": {"Version": "252.39-1~deb12u2", "SystemState": "degraded"}})
    manager.units = [Properties(bus, path_of(name), properties) for name, _, _, properties in UNITS]
    owned = dbus.service.BusName(NAME, bus)
    print("ready", owned.get_name(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
