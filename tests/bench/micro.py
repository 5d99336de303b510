#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the C++ micro-benchmarks and holds their medians against the bars."""

import json
import subprocess

import bench_agent as bench

# program: {benchmark: (what, bar in ms)}; the encoders' have 9,995 lines, and 10,000 label sets.
BARS = {
    "drain_bench": {
        "drain": ("65,536 per-CPU entries read", 45),
        "drain_and_compare": ("65,536 per-CPU entries read, each compared with its value before", 45),
    },
    "encode_bench": {
        "prometheus_text/counters:5000/histograms:161": ("text of 10,000 series encoded", 10),
        "openmetrics/counters:5000/histograms:161": ("OpenMetrics of the same encoded", 10),
    },
}


def medians(program):
    """{benchmark: its row of medians}."""
    command = [str(program), "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true",
               "--benchmark_format=json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    if done.returncode != 0:
        bench.die(f"{program} ended with {done.returncode}")
    rows = json.loads(done.stdout)["benchmarks"]
    for row in rows:
        if row.get("error_occurred"):
            bench.die(f"{program.name}, {row['name']}: {row['error_message']}")
    return {row["run_name"]: row for row in rows if row.get("aggregate_name") == "median"}


def main():
    args = bench.arguments(__doc__).parse_args()
    bench.set_up(args)
    figures = {name: medians(args.build / "tests/bench" / name) for name in BARS}
    print(f"{'median':60} {'time, ms':>9} {'CPU, ms':>9} {'lines':>8}")
    for rows in figures.values():
        for name, row in rows.items():
            lines = f"{row['lines']:8.0f}" if "lines" in row else ""
            print(f"{name:60} {row['real_time']:9.3f} {row['cpu_time']:9.3f} {lines:>8}")
    verdicts = bench.Verdicts()
    for program, bars in BARS.items():
        for name, (what, bar) in bars.items():
            verdicts.judge(what, figures[program][name]["cpu_time"], bar, "ms")
    verdicts.finish(figures=figures)


if __name__ == "__main__":
    main()
