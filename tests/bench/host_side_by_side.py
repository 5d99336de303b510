#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The agent beside node_exporter, in one run: CPU for a scrape, its latency, and memory.

Usage: host_side_by_side.py [--agent PATH] [--exporter PATH] [--scrapes N]

Both serve the collectors that both have; scrapes are gzipped and alternate, so that both see the same machine. The
agent has its probes on. CPU is user and system time of the process for a scrape, less what it uses in as much time
without scrapes. Memory is what is resident at most, right after the scrapes or at rest. Both have run for a while before,
since each has a start behind it that takes more. Prints a table, and fails when the agent misses its aims: a quarter of the CPU, a third of the latency,
half of the memory.
"""

import argparse
import os
import re
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

import bench_agent as bench

AIMS = {"cpu": 1 / 4, "latency": 1 / 3, "memory": 1 / 2}
# What node_exporter has of its own runs nowhere; the rest is in both.
COMMON = ["arp", "bonding", "btrfs", "conntrack", "cpu", "cpufreq", "diskstats", "dmi", "edac", "entropy", "filefd",
          "filesystem", "hwmon", "loadavg", "mdadm", "meminfo", "netclass", "netdev", "netstat", "nfs", "nvme", "os",
          "powersupplyclass", "pressure", "rapl", "schedstat", "selinux", "sockstat", "softnet", "stat", "textfile",
          "thermal_zone", "time", "timex", "udp_queues", "uname", "vmstat", "xfs", "zfs"]
AGENT_PORT, EXPORTER_PORT = 19752, 19100
SETTLE_SECONDS = 15


def cpu_seconds(pid):
    """What the scheduler has measured of all threads; the times of /proc/PID/stat are samples, too coarse for this."""
    return sum(int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text(encoding="ascii").split()[0])
               for thread in os.listdir(f"/proc/{pid}/task")) / 1e9


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024


def scrape(port, collect):
    query = "&".join(f"collect[]={name}" for name in COMMON) if collect else ""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics?{query}", headers={"Accept-Encoding": "gzip"})
    begin = time.perf_counter()
    with urllib.request.urlopen(request, timeout=20) as answer:
        size = len(answer.read())
    return time.perf_counter() - begin, size


def start(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            scrape(port, True)
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command[0]} does not serve") from None
            time.sleep(0.05)


def settle(processes):
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        for _, port in processes.values():
            scrape(port, True)
        time.sleep(0.5)


def measure(processes, scrapes):
    """CPU, latency and memory by name."""
    before = {name: cpu_seconds(process.pid) for name, (process, _) in processes.items()}
    latencies = {name: [] for name in processes}
    begin = time.monotonic()
    for _ in range(scrapes):
        for name, (_, port) in processes.items():
            latencies[name].append(scrape(port, True)[0])
    spent = time.monotonic() - begin
    memory = {name: resident_bytes(process.pid) for name, (process, _) in processes.items()}
    busy = {name: cpu_seconds(process.pid) - before[name] for name, (process, _) in processes.items()}
    idle_from = {name: cpu_seconds(process.pid) for name, (process, _) in processes.items()}
    time.sleep(spent)
    rest = {name: cpu_seconds(process.pid) - idle_from[name] for name, (process, _) in processes.items()}
    return {name: {"cpu": max(0.0, busy[name] - rest[name]) / scrapes,
                   "latency": statistics.median(latencies[name]),
                   "memory": max(memory[name], resident_bytes(processes[name][0].pid))} for name in processes}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", default=str(bench.ROOT / "build/release/connscope"))
    parser.add_argument("--exporter", default="/usr/bin/prometheus-node-exporter")
    parser.add_argument("--scrapes", type=int, default=300)
    arguments = parser.parse_args()
    chosen = ["--collector.disable-defaults", *(f"--collector.{name}" for name in COMMON)]
    commands = {
        "agent": ([arguments.agent, f"--web.listen-address=127.0.0.1:{AGENT_PORT}", *chosen], AGENT_PORT),
        "node_exporter": ([arguments.exporter, f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}", *chosen],
                          EXPORTER_PORT),
    }
    processes = {}
    try:
        for name, (command, port) in commands.items():
            processes[name] = (start(command, port), port)
        settle(processes)
        figures = measure(processes, arguments.scrapes)
    finally:
        for process, _ in processes.values():
            process.terminate()
            process.wait(timeout=30)
    ratios = {}
    scale = {"cpu": (1e3, "ms a scrape"), "latency": (1e3, "ms, median"), "memory": (1 / 2**20, "MiB resident")}
    verdicts = bench.Verdicts()
    print(f"{'':12}{'agent':>10}{'node_exporter':>15}{'ratio':>8}{'aim':>8}")
    for what, aim in AIMS.items():
        factor, unit = scale[what]
        ours, theirs = figures["agent"][what], figures["node_exporter"][what]
        ratio = ours / theirs if theirs else float("inf")
        ratios[what] = ratio
        print(f"{what:12}{ours * factor:10.2f}{theirs * factor:15.2f}{ratio:8.2f}{aim:8.2f}  {unit}")
    for what, aim in AIMS.items():
        verdicts.judge(f"{what} beside node_exporter's", ratios[what], aim, "")
    verdicts.finish(**figures)


if __name__ == "__main__":
    main()
