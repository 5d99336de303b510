#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The 99th percentile of a scrape's latency while the receivers of all exporters behave badly, beside that of a quiet agent.

Each way of behaving gets two agents with the same config, but for how often they send: one of them never does, the other
each second, to receivers that hang, reset, answer slowly, answer garbage, or are not there. Scrapes go to both in turns, so
that both see the same machine. The first row is the A/A: two agents that never send. A run is given up when an exporter
has not come to grief, for then it was none."""

import json
import multiprocessing
import random
import socket
import statistics
import struct
import tempfile
import threading
import time
from pathlib import Path

import bench_agent as bench

BAR_RATIO = 1.10
QUIET = "quiet"
BEHAVIOURS = (QUIET, "hang", "reset", "slow", "garbage", "absent")
SLOW_SECONDS = 3  # of the five that an exporter waits
GARBAGE = b"\x00\xff*-1\r\nHTTP/9 \x80\r\n" * 64
EXPORTERS = ("graphite", "influxdb", "otlp", "pushgateway", "redis", "remote_write")
BY_POLICY = ("graphite", "influxdb")


def parse():
    parser = bench.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of scrapes, for each way of behaving")
    parser.add_argument("--behaviour", action="append", choices=BEHAVIOURS, help="only this one; repeatable")
    return parser.parse_args()


def serve(connection, behaviour):
    """Does to one connection what the behaviour is, and lets it go when the other side has."""
    with connection:
        while connection.recv(1 << 16):
            if behaviour == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if behaviour == "garbage":
                connection.sendall(GARBAGE)
            if behaviour == "slow":
                time.sleep(SLOW_SECONDS)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                return


def serve_quietly(connection, behaviour):
    try:
        serve(connection, behaviour)
    except OSError:  # the other side has reset it
        pass


def receive(listener, behaviour):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_quietly, args=(connection, behaviour), daemon=True).start()


class Receiver:
    """One for all exporters, in a process of its own; leaving the `with` ends it."""

    def __init__(self, behaviour):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.process = multiprocessing.Process(target=receive, args=(self.listener, behaviour), daemon=True)
        self.is_there = behaviour not in (QUIET, "absent")

    def __enter__(self):
        if self.is_there:
            self.process.start()
        self.listener.close()
        return self

    def __exit__(self, *exception):
        if self.is_there:
            self.process.kill()
            self.process.join()


def config(port, folder, interval):
    place = f"127.0.0.1:{port}"
    keys = {"graphite": f'address = "{place}"', "influxdb": f'url = "http://{place}"', "otlp": f'url = "http://{place}/v1/metrics"',
            "pushgateway": f'url = "http://{place}"', "redis": f'address = "{place}"',
            "remote_write": f'url = "http://{place}/api/v1/write"\nqueue = "{folder}"'}
    sections = [f"[exporter.{name}]\n{keys[name]}\n" + ("" if name in BY_POLICY else f'interval = "{interval}"\n')
                for name in EXPORTERS]
    # The control and ingest sockets are places of which there is one. A list of texts is the same in JSON and TOML.
    return (f'[control]\nenabled = false\n[ingest]\nenabled = false\n[[policy]]\nname = "all"\ninterval = "{interval}"\n'
            f'report = ["*"]\ninactivity = true\nto = {json.dumps(BY_POLICY)}\n' + "\n".join(sections))


def scrape_seconds(agent):
    begin = time.perf_counter()
    agent.scrape_bytes(bench.OPENMETRICS)
    return time.perf_counter() - begin


def measure(agents, seconds):
    """The latencies of both, scraped in turns whose order is drawn."""
    latencies = {name: [] for name in agents}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in random.sample(list(agents), len(agents)):
            latencies[name].append(scrape_seconds(agents[name]))
    return latencies


def counts(agent, name):
    """By exporter: connscope_export_NAME_total."""
    return {labels["exporter"]: value for labels, value in bench.samples(agent.scrape(), f"connscope_export_{name}_total")}


def check_grief(agent, behaviour):
    """Slowness is no failure, but of Redis, which gets no answer of its own; Graphite's protocol has no answers at all."""
    sufferers = {QUIET: set(), "slow": {"redis"}}.get(behaviour, set(EXPORTERS))
    if behaviour in ("hang", "garbage"):
        sufferers -= {"graphite"}
    failures = counts(agent, "failures")
    if unharmed := [name for name in sorted(sufferers) if not failures.get(name)]:
        bench.die(f"{behaviour}: no failures of {', '.join(unharmed)}")


def percentile99(latencies):
    return statistics.quantiles(latencies, n=100)[98]


def compare(args, behaviour):
    """One row of the table."""
    with tempfile.TemporaryDirectory(prefix="connscope-bench-queue-") as folder, Receiver(behaviour) as receiver:
        quiet = config(receiver.port, Path(folder) / "quiet", "1h")
        bad = quiet if behaviour == QUIET else config(receiver.port, Path(folder) / "bad", "1s")
        with bench.Agent(args.build, args.config_extra + quiet) as beside, bench.Agent(args.build, args.config_extra + bad) as agent:
            latencies = measure({QUIET: beside, "bad": agent}, args.seconds)
            check_grief(agent, behaviour)
            return {"scrapes": len(latencies["bad"]), "quiet_ms": percentile99(latencies[QUIET]) * 1e3,
                    "bad_ms": percentile99(latencies["bad"]) * 1e3, "resident_kib": agent.resident_kib(),
                    "quiet_resident_kib": beside.resident_kib(), "dropped": sum(counts(agent, "dropped_reports").values())}


def main():
    args = parse()
    bench.set_up(args)
    rows = {}
    print(f"{'receivers':10} {'scrapes':>8} {'quiet p99, ms':>14} {'p99, ms':>9} {'ratio':>6} {'MiB, quiet':>11} {'MiB':>6} {'dropped':>8}")
    for behaviour in args.behaviour or BEHAVIOURS:
        row = rows[behaviour] = compare(args, behaviour)
        row["ratio"] = row["bad_ms"] / row["quiet_ms"]
        print(f"{behaviour:10} {row['scrapes']:8} {row['quiet_ms']:14.2f} {row['bad_ms']:9.2f} {row['ratio']:6.3f} "
              f"{row['quiet_resident_kib'] / 1024:11.1f} {row['resident_kib'] / 1024:6.1f} {row['dropped']:8.0f}", flush=True)
    verdicts = bench.Verdicts()
    for behaviour, row in rows.items():
        if behaviour != QUIET:
            verdicts.judge(f"p99 of a scrape beside the quiet agent's, receivers: {behaviour}", row["ratio"], BAR_RATIO, "")
    verdicts.finish(behaviours=rows)


if __name__ == "__main__":
    main()
