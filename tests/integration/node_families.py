#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the host's metrics against a prometheus-node-exporter that runs beside the agent.

Usage: node_families.py --agent PATH --dashboard FILE [--exporter PATH]

Both serve on ports of the loopback. The agent is read between two readings of node_exporter. Every node_* family that
that serves by default must be there with its type and the keys of its labels; gauges that stand still must agree, and
counters must lie between the two readings. systemd is one of the test's own (systemd_mock.py), since not every machine
that runs this has it. Then the names of FILE, which a dashboard asks for: 98 % of those that
node_exporter can serve on this kernel with its other collectors on. Prints both coverages in per cent.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

# Which exporter it is. Neither is a figure of the host.
NOT_OF_THE_HOST = {"node_exporter_build_info"}
# What changes by itself, or says how one of the two fared: only the labels are compared.
RESTLESS = {
    "node_time_seconds", "node_load1", "node_load5", "node_load15", "node_procs_running", "node_procs_blocked",
    "node_scrape_collector_duration_seconds", "node_entropy_available_bits", "node_filefd_allocated",
}
RESTLESS_PREFIXES = ("node_memory_", "node_sockstat_", "node_netstat_", "node_vmstat_", "node_timex_",
                     "node_filesystem_", "node_nf_conntrack_", "node_udp_queues", "node_disk_io_now", "node_arp_")
# Collectors that node_exporter has and we do not: their success is not ours to tell.
THEIRS_ALONE = "node_scrape_collector_success"
# Collectors that a dashboard needs and neither has on by default.
EXTRA = ["interrupts", "processes", "tcpstat"]
WANTED_OF_DASHBOARD = 98.0
SYSTEMD_FIGURES = [f"--collector.systemd.enable-{what}-metrics" for what in ("task", "restarts", "start-time")]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return answer.read().decode()


@contextlib.contextmanager
def serving(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                fetch(port)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} does not serve: {process.stderr.read()[-2000:]}") from None
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextlib.contextmanager
def systemd(folder):
    """A bus with a systemd that all who are started meanwhile find."""
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address = f"unix:path={folder}/bus"
    commands = [["dbus-daemon", "--session", "--nofork", f"--address={address}", "--print-address"],
                ["/usr/bin/python3", "-B", str(Path(__file__).parent / "systemd_mock.py")]]
    processes = []
    try:
        for command in commands:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            processes.append(process)
            if not process.stdout.readline():
                raise SystemExit(f"{command[0]} does not start")
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=30)


class Scrape:
    """Families of one scrape: types, and samples by name and labels. A label that is empty is one that lacks."""

    def __init__(self, text):
        self.types = {}
        self.samples = defaultdict(dict)
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                self.types[name] = kind
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = frozenset((key, value) for key, value in sample.labels.items() if value)
                self.samples[sample.name][labels] = sample.value

    def keys(self, name):
        return {frozenset(key for key, _ in labels) for labels in self.samples[name]}


def is_restless(name):
    return name in RESTLESS or name.startswith(RESTLESS_PREFIXES)


def differences(name, before, ours, after):
    """What is wrong with one family of ours."""
    if name not in ours.types:
        yield "lacks"
        return
    if ours.types[name] != before.types[name]:
        yield f"is of type {ours.types[name]}, not {before.types[name]}"
    if name == THEIRS_ALONE:
        return
    for labels, first in before.samples[name].items():
        last = after.samples[name].get(labels)
        if name == "node_scrape_collector_duration_seconds" or last is None:
            continue
        own = ours.samples[name].get(labels)
        shown = dict(sorted(labels))
        if own is None:
            yield f"has no series {shown}"
        elif before.types[name] == "counter" and not first - 1e-6 <= own <= last + 1e-6:
            yield f"{shown} is {own}, not from {first} to {last}"
        elif before.types[name] == "gauge" and not is_restless(name) and first == last != own:
            yield f"{shown} is {own}, not {first}"


def compare(agent_port, exporter_port):
    before = Scrape(fetch(exporter_port))
    ours = Scrape(fetch(agent_port))
    after = Scrape(fetch(exporter_port))
    wanted = sorted(name for name in before.types if name.startswith("node_") and name not in NOT_OF_THE_HOST)
    wrong = {name: found for name in wanted if (found := list(differences(name, before, ours, after)))}
    return wanted, wrong


def percent(part, whole):
    return 100.0 * part / whole if whole else 0.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", required=True)
    parser.add_argument("--exporter", default="/usr/bin/prometheus-node-exporter")
    parser.add_argument("--dashboard", type=Path, required=True)
    arguments = parser.parse_args()
    agent_port, exporter_port, full_port = free_port(), free_port(), free_port()
    extra = [f"--collector.{name}" for name in EXTRA]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        config = folder / "connscope.toml"
        config.write_text("", encoding="utf-8")
        stack.enter_context(systemd(folder))
        listen = "--web.listen-address=127.0.0.1:"
        stack.enter_context(
            serving([arguments.exporter, f"{listen}{exporter_port}", *SYSTEMD_FIGURES], exporter_port))
        stack.enter_context(serving([arguments.exporter, f"{listen}{full_port}", *extra], full_port))
        stack.enter_context(
            serving([arguments.agent, f"--config={config}", f"{listen}{agent_port}", *extra, *SYSTEMD_FIGURES], agent_port))
        # The first readings of all three are of caches that are cold.
        wanted, wrong = compare(agent_port, exporter_port)
        if wrong:  # a device or a state may have changed between the readings: only what is wrong again counts
            wanted, again = compare(agent_port, exporter_port)
            wrong = {name: found for name, found in again.items() if name in wrong}
        ours = Scrape(fetch(agent_port))
        theirs = Scrape(fetch(full_port))
    covered = percent(len(wanted) - len(wrong), len(wanted))
    print(f"default families of node_exporter: {covered:.1f} % of {len(wanted)}")
    for name, found in sorted(wrong.items()):
        print(f"  {name}: {'; '.join(found[:5])}")
    names = [line for line in arguments.dashboard.read_text().splitlines() if line and not line.startswith("#")]
    possible = [name for name in names if name in theirs.samples or name in ours.samples]
    lacking = [name for name in possible if name not in ours.samples]
    dashboard = percent(len(possible) - len(lacking), len(possible))
    print(f"names of the dashboard: {dashboard:.1f} % of {len(possible)} that this kernel has (of {len(names)})")
    for name in lacking:
        print(f"  {name}: lacks")
    return 0 if wanted and possible and not wrong and dashboard >= WANTED_OF_DASHBOARD else 1


if __name__ == "__main__":
    sys.exit(main())
