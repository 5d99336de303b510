#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent's CPU time for one scrape of 10,000 series.

A series is what Prometheus counts as one: a sample line of the answer. They are made as they come about in life: copies
of connect_load under names of their own connect and are refused, each name a `process` label, until the answer has
enough lines. Each scrape makes the agent drain its maps, so that is part of the figure. The scrapes go over one
connection that is kept. encode_bench has the encoding alone, also for 10,000 label sets."""

import itertools
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import bench_agent as bench

BAR_MS = 10
OPERATIONS_OF_ONE = 200
LIMITS = "[limits]\nprefixes = 100000\nseries = 1000000\n"
VARIANTS = [(name, accept, compressed) for name, accept in (("text", bench.TEXT), ("openmetrics", bench.OPENMETRICS))
            for compressed in (False, True)]


def parse():
    parser = bench.arguments(__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=10000, help="sample lines that the answer has at least")
    parser.add_argument("--scrapes", type=int, default=100, help="measured scrapes of each variant, at least 50")
    args = parser.parse_args()
    if args.scrapes < 50:
        parser.error("--scrapes: allowed: 50 or more")
    return args


def make_series(agent, args):
    """Runs processes until there are enough series; how many it took."""
    with tempfile.TemporaryDirectory(prefix="connscope-bench-") as folder:
        for number in itertools.count(1):
            program = Path(folder) / f"service-{number:04}"
            shutil.copy(bench.load_program(args.build), program)
            bench.run_load(program, OPERATIONS_OF_ONE, 10, "--workers=1", "--refused=0.5")
            program.unlink()
            if number % 5 == 0 and bench.sample_lines(agent.scrape()) >= args.series:
                return number


def measure(agent, accept, compressed, scrapes):
    text = agent.scrape(accept, compressed)  # also brings buffers to their size
    size = len(agent.scrape_bytes(accept, compressed))
    seconds = []
    cpu_before = agent.cpu_ns()
    for _ in range(scrapes):
        begin = time.perf_counter()
        agent.scrape_bytes(accept, compressed)
        seconds.append(time.perf_counter() - begin)
    cpu_ms = (agent.cpu_ns() - cpu_before) / 1e6 / scrapes
    return {"series": bench.sample_lines(text), "bytes": size, "cpu_ms": cpu_ms,
            "latency_ms": statistics.median(seconds) * 1e3}


def main():
    args = parse()
    bench.set_up(args)
    figures = {}
    with bench.Agent(args.build, args.config_extra + "\n" + LIMITS) as agent:
        processes = make_series(agent, args)
        for name, accept, compressed in VARIANTS:
            variant = f"{name}, {'gzip' if compressed else 'plain'}"
            figures[variant] = measure(agent, accept, compressed, args.scrapes)
        resident_kib = agent.resident_kib()

    print(f"{'variant':22} {'series':>7} {'bytes':>9} {'CPU, ms':>8} {'latency, ms (median)':>21}")
    for variant, row in figures.items():
        print(f"{variant:22} {row['series']:7} {row['bytes']:9} {row['cpu_ms']:8.2f} {row['latency_ms']:21.2f}")
    print(f"{processes} processes; the agent's resident memory afterwards: {resident_kib / 1024:.1f} MiB")
    verdicts = bench.Verdicts()
    for variant, row in figures.items():
        verdicts.judge(f"CPU of a scrape of {row['series']} series, {variant}", row["cpu_ms"], BAR_MS, "ms")
    verdicts.finish(scrapes=figures, processes=processes, resident_kib=resident_kib)


if __name__ == "__main__":
    main()
