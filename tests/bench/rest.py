#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent at rest: its memory and CPU time with a scrape each 15 s and nothing else asked of it."""

import time

import bench_agent as bench

BAR_MIB, BAR_PERCENT = 14, 0.2


def parse():
    parser = bench.arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--interval", type=float, default=15, help="seconds from scrape to scrape")
    return parser.parse_args()


def watch(agent, args):
    """Percent of one core, resident KiB at the worst scrape, and how many scrapes there were."""
    begin, cpu_before = time.monotonic(), agent.cpu_ns()
    resident_kib, scrapes = agent.resident_kib(), 0
    while (passed := time.monotonic() - begin) < args.seconds:
        time.sleep(min(args.interval, args.seconds - passed))
        agent.scrape(bench.OPENMETRICS, compressed=True)
        resident_kib, scrapes = max(resident_kib, agent.resident_kib()), scrapes + 1
    percent = (agent.cpu_ns() - cpu_before) / 1e9 / (time.monotonic() - begin) * 100
    return percent, resident_kib, scrapes


def main():
    args = parse()
    bench.set_up(args)
    with bench.Agent(args.build, args.config_extra) as agent:
        percent, resident_kib, scrapes = watch(agent, args)
    print(f"{args.seconds:g} s with {scrapes} scrapes")
    verdicts = bench.Verdicts()
    verdicts.judge("resident memory at rest", resident_kib / 1024, BAR_MIB, "MiB")
    verdicts.judge("CPU at rest, of one core", percent, BAR_PERCENT, "%")
    verdicts.finish(resident_kib=resident_kib, cpu_percent=percent, seconds=args.seconds)


if __name__ == "__main__":
    main()
