#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics of applications: what the agent takes without loss, its memory meanwhile, what it costs beside npm's statsd, and
what an update costs the application.

Part by part: senders that block (nothing may be lost), senders that do not (what is lost is counted), the same packets to
the agent and to statsd over UDP, and client_bench. statsd is installed by npm into a temporary folder; without npm, or
with --no-statsd, that part is left out and said so."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import bench_agent as bench

BAR_LINES, BAR_CORES, BAR_MIB = 500_000, 1.0, 64
BAR_TIMES_STATSD = 20
BAR_BATCHED_NS, BAR_BY_ITSELF_NS = 40, 1000
# As clients fill their packets, our own too: what fits into an Ethernet frame. In shorter ones the kernel's share, which
# is the same for both sides, hides more and more of theirs.
FULL_PACKET_LINES = 60
LIMITS = "series = 10000\n"


def parse():
    parser = bench.arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long senders that block go on")
    parser.add_argument("--rate", type=float, default=BAR_LINES, help="their lines a second")
    parser.add_argument("--lines", type=int, default=20, help="lines a packet")
    parser.add_argument("--pair-seconds", type=float, default=5, help="how long each side of the pair takes packets")
    parser.add_argument("--no-statsd", action="store_true", help="leave the pair out")
    return parser.parse_args()


def run_load(args, *extra, lines=None):
    command = [str(bench.load_program(args.build, "ingest_load")), f"--lines={lines or args.lines}", *extra]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        bench.die(f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def total(agent, name, **labels):
    found = bench.samples(agent.scrape(), name)
    return sum(value for have, value in found if all(have.get(key) == want for key, want in labels.items()))


def settled(agent, name, **labels):
    """The total once it rises no more: what is queued is taken yet."""
    before, now = -1, total(agent, name, **labels)
    while now != before:
        time.sleep(0.2)
        before, now = now, total(agent, name, **labels)
    return now


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config(folder, port):
    return (f'[ingest]\npath = "{folder}/ingest.sock"\nudp = true\nudp_address = "127.0.0.1:{port}"\n'
            + LIMITS)


def blocking(agent, path, args, verdicts):
    agent.scrape()
    cpu, begin = agent.cpu_ns(), time.monotonic()
    sent = run_load(args, f"--path={path}", f"--seconds={args.seconds}", f"--rate={args.rate}")
    cores = (agent.cpu_ns() - cpu) / 1e9 / (time.monotonic() - begin)
    taken = settled(agent, "connscope_ingest_lines_total")
    print(f"{sent['lines']} lines of 4 processes that block, in {sent['seconds']:g} s")
    verdicts.judge("lines a second", sent["lines"] / sent["seconds"], args.rate * 0.99, "", at_least=True)
    verdicts.judge("lines lost", sent["lines"] - taken, 0, "")
    verdicts.judge("lines refused", total(agent, "connscope_ingest_refused_lines_total"), 0, "")
    verdicts.judge("cores of the agent", cores, BAR_CORES, "")
    verdicts.judge("resident memory", agent.resident_kib() / 1024, BAR_MIB, "MiB")
    return {"blocking": sent, "cores": cores, "resident_kib": agent.resident_kib()}


def not_blocking(agent, path, args, verdicts):
    before = settled(agent, "connscope_ingest_lines_total")
    sent = run_load(args, f"--path={path}", f"--seconds={min(args.seconds, 10)}", "--no-block")
    told = settled(agent, "connscope_ingest_client_lost_lines_total")
    # Each process tells in one line of its own what it lost.
    taken = settled(agent, "connscope_ingest_lines_total") - before - (4 if told else 0)
    print(f"{sent['lines']} lines of 4 processes that do not block, {sent['lost_lines']} lost on their side")
    verdicts.judge("lines lost and not counted", abs(sent["lines"] - taken) + abs(sent["lost_lines"] - told), 0, "")
    return {"not_blocking": sent, "told_lost": told}


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def packets_a_cpu_second_of_agent(agent, port, args, lines):
    name = "connscope_ingest_packets_total"
    before, cpu = settled(agent, name, transport="udp"), agent.cpu_ns()
    run_load(args, f"--udp={port}", f"--seconds={args.pair_seconds}", "--processes=1", lines=lines)
    cpu = agent.cpu_ns() - cpu
    return (settled(agent, name, transport="udp") - before) / (cpu / 1e9)


class Statsd:
    """npm's statsd with its standard settings, but for a flush that is far away: its own CPU would count."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="connscope-statsd-")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "statsd"], cwd=self.folder.name,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port, self.mgmt_port = free_udp_port(), bench.free_port()
        settings = {"port": self.port, "mgmt_port": self.mgmt_port, "address": "127.0.0.1",
                    "mgmt_address": "127.0.0.1", "backends": [], "flushInterval": 1_000_000}
        file = Path(self.folder.name) / "config.js"
        file.write_text(json.dumps(settings))
        script = Path(self.folder.name) / "node_modules/statsd/stats.js"
        self.process = subprocess.Popen(["node", str(script), str(file)], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.packets()
                return self
            except OSError:
                time.sleep(0.1)
        return bench.die("statsd does not answer")

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()

    def packets(self):
        with socket.create_connection(("127.0.0.1", self.mgmt_port), 10) as talk:
            talk.sendall(b"counters\n")
            text = b""
            while b"END" not in text:
                text += talk.recv(65536)
        found = [part for part in text.decode().replace(",", "\n").splitlines() if "statsd.packets_received" in part]
        return int(found[0].split(":")[1]) if found else 0

    def packets_a_cpu_second(self, args, lines):
        before, cpu = self.packets(), cpu_seconds(self.process.pid)
        run_load(args, f"--udp={self.port}", f"--seconds={args.pair_seconds}", "--processes=1", lines=lines)
        time.sleep(1)  # what is queued
        return (self.packets() - before) / (cpu_seconds(self.process.pid) - cpu)


def pair(agent, port, args, verdicts):
    if args.no_statsd or not shutil.which("npm"):
        print("statsd is left out")
        return {}
    figures = {}
    with Statsd() as statsd:
        for lines in (FULL_PACKET_LINES, args.lines, 1):
            theirs = statsd.packets_a_cpu_second(args, lines)
            ours = packets_a_cpu_second_of_agent(agent, port, args, lines)
            print(f"packets of {lines} lines a CPU second: {ours:.0f}, statsd {theirs:.0f}")
            figures[f"packets_a_cpu_second_{lines}"] = {"agent": ours, "statsd": theirs}
            if lines == FULL_PACKET_LINES:
                verdicts.judge("times statsd's packets a CPU second, full ones", ours / theirs, BAR_TIMES_STATSD, "", at_least=True)
    return figures


def client(args, verdicts):
    program = bench.load_program(args.build, "client_bench")
    done = subprocess.run([str(program), "--benchmark_format=json"], stdout=subprocess.PIPE, check=True, text=True)
    ns = {run["name"]: run["cpu_time"] for run in json.loads(done.stdout)["benchmarks"]}
    for name, value in ns.items():
        print(f"{name}: {value:.1f} ns")
    verdicts.judge("a counter's increment, batched", ns["counter_batched"], BAR_BATCHED_NS, "ns")
    verdicts.judge("one sent by itself, beyond the system call", ns["counter_by_itself"] - ns["bare_send"],
                   BAR_BY_ITSELF_NS, "ns")
    return {"client_ns": ns}


def main():
    args = parse()
    bench.set_up(args)
    verdicts, figures = bench.Verdicts(), {}
    with tempfile.TemporaryDirectory(prefix="connscope-ingest-") as folder:
        port = free_udp_port()
        with bench.Agent(args.build, config(folder, port) + args.config_extra) as agent:
            path = f"{folder}/ingest.sock"
            figures |= blocking(agent, path, args, verdicts)
            figures |= not_blocking(agent, path, args, verdicts)
            figures |= pair(agent, port, args, verdicts)
    figures |= client(args, verdicts)
    verdicts.finish(**figures)


if __name__ == "__main__":
    main()
