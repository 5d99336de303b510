#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the agent costs the host it watches: a load flat out, without (A) and with (B) the agent.

The load is connect, accept, close (--load=connect), the same with a message there and back (--echo=BYTES), requests
and responses on connections that are kept (--load=request), or one that is made of packets (packet_load.cpp): a TCP
transfer (--load=bulk), UDP requests and responses (--load=datagram), DNS queries and answers (--load=dns), or one of TLS
(tls_load.cpp): connections with a full handshake each (--load=handshake), or a transfer (--load=tls-bulk). The library probes are a
part of what the agent costs a handshake, unless --config-extra switches them off.

The runs go A B A B … A, so that each B stands between two A: its ratio is to their mean, which takes out slow drift
of a shared machine. Each A against the A before it is the noise. CPU is given twice: of the load's own process
(getrusage, all threads), and of the whole machine (/proc/stat, all but idle, iowait and steal), which has the agent's
own in it and whatever else runs. One more run with kernel.bpf_stats_enabled=1 gives the time in each BPF program; of
datagrams, which are none of the agent's concern, it is held against the time in a program that does nothing."""

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import bench_agent as bench

STATS = Path("/proc/sys/kernel/bpf_stats_enabled")
TIME_WAIT_TABLE = Path("/proc/sys/net/ipv4/tcp_max_tw_buckets")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 0.3  # the kernel frees the maps of an agent that ended in the background
FOREIGN_SHARE = 0.01  # connects of other processes that spoil no figure
BARS = {"connect": {"rate": 0.95, "cpu": 1.05, "bpf_ns": 2500}, "echo": {"cpu": 1.08}, "request": {"cpu": 1.02},
        "bulk": {"cpu": 1.02}, "datagram": {"cpu": 1.02, "packet_ns": 80}, "dns": {"bpf_ns": 2000},
        "handshake": {"cpu": 1.10}, "tls-bulk": {"cpu": 1.02}}
PACKET_LOADS = ("bulk", "datagram", "dns")
TLS_LOADS = ("handshake", "tls-bulk")
PACKET_PROGRAMS = ("packet/on_egress", "packet/on_ingress")
FIGURES = {"operations_per_second": "rate, 1/s", "cpu_us_per_operation": "load's CPU, us/op",
           "system_us_per_operation": "system CPU, us/op"}


def parse():
    parser = bench.arguments(__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=11, help="how often B is run, at least 9")
    parser.add_argument("--seconds", type=float, default=4, help="length of one run")
    parser.add_argument("--load", choices=("connect", "request", *PACKET_LOADS, *TLS_LOADS), default="connect",
                        help="what is done: see connect_load.cpp, request_load.cpp, packet_load.cpp and tls_load.cpp")
    parser.add_argument("--workers", type=int, default=2, help="connecting threads of the load")
    parser.add_argument("--accept", choices=("same", "other"), default="same", help="who accepts (connect)")
    parser.add_argument("--refused", type=float, default=0, help="share of refused operations (connect)")
    parser.add_argument("--echo", type=int, default=0, help="bytes there and back on each connection (connect)")
    parser.add_argument("--key", choices=("p256", "rsa2048"), default="p256",
                        help="of the server's certificate (handshake, tls-bulk)")
    parser.add_argument("--server", choices=("same", "other"), default="other", help="who serves (datagram, dns)")
    parser.add_argument("--connections", type=int, default=64, help="kept connections (request)")
    parser.add_argument("--bytes", type=int, default=4096,
                        help="size of a request and of a response (request, datagram)")
    args = parser.parse_args()
    if args.pairs < 9:
        parser.error("--pairs: allowed: 9 or more")
    return args


def busy_ticks():
    """user, nice, system, irq and softirq of all CPUs (proc(5); guest time is in user already)."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(fields[:3]) + sum(fields[5:7])


def load_name(args):
    if args.load in TLS_LOADS:
        return "tls_load"
    return "packet_load" if args.load in PACKET_LOADS else f"{args.load}_load"


def load_options(args):
    if args.load in TLS_LOADS:
        return [f"--load={args.load}", f"--key={args.key}"]
    if args.load in PACKET_LOADS:
        return [f"--load={args.load}", f"--bytes={args.bytes}", f"--server={args.server}"]
    if args.load == "request":
        return [f"--workers={args.workers}", f"--connections={args.connections}", f"--bytes={args.bytes}"]
    return [f"--workers={args.workers}", f"--accept={args.accept}", f"--refused={args.refused}", f"--echo={args.echo}"]


def run_load(args):
    time.sleep(SETTLE_SECONDS)
    before = busy_ticks()
    result = bench.run_load(bench.load_program(args.build, load_name(args)), 10**9, args.seconds, *load_options(args),
                            inside=bench.IN_NETNS if args.load in (*PACKET_LOADS, *TLS_LOADS) else ())
    busy = (busy_ticks() - before) / TICKS_PER_SECOND
    result["system_us_per_operation"] = busy * 1e6 / result["operations"]
    return result


def counted(scrape, family, process, **wanted):
    """What the agent has counted for a process."""
    wanted["process"] = process
    return sum(value for labels, value in bench.samples(scrape, family) if wanted.items() <= labels.items())


def roles_seen(scrape):
    """Without the calls (config) the agent sees no accept as it happens, and what a server carries only from then on."""
    hooks = [labels for labels, _ in bench.samples(scrape, "connscope_probe_info") if "accept" in labels.get("hook", "")]
    return ["client", "server"] if any("reason" not in labels for labels in hooks) else ["client"]


def expected_counts(scrape, args, result):
    """(family, labels, count): what the agent must have counted of the load."""
    if args.load == "datagram":
        return []
    if args.load == "dns":
        return [("conn_dns_queries_total", {}, result["operations"]),
                ("conn_dns_query_duration_seconds_count", {"outcome": "ok"}, result["operations"]),
                ("conn_dns_served_duration_seconds_count", {}, result["operations"])]
    if args.load in TLS_LOADS:
        return [("conn_tls_handshake_duration_seconds_count", {"role": role, "outcome": "ok"}, result["connects"])
                for role in ("client", "server")]
    roles = roles_seen(scrape)
    expected = [("conn_tcp_connects_total", {}, result["connects"])]
    if "server" in roles:
        expected.append(("conn_tcp_accepts_total", {}, result["accepts"]))
    ways = (("transmit", "client"), ("receive", "server"), ("receive", "client"), ("transmit", "server"))
    return expected + [(f"conn_tcp_{way}_bytes_total", {"role": role}, result["bytes_each_way"])
                       for way, role in (ways[:2] if args.load == "bulk" else ways) if role in roles]


def check_counts(scrape, args, result):
    """The agent has seen every operation, or the figures would mean nothing; and few of anybody else."""
    process = load_name(args)
    for family, labels, count in expected_counts(scrape, args, result):
        seen = counted(scrape, family, process, **labels)
        if seen != count:
            bench.die(f"the agent counted {seen:.0f} of {count} in {family}{labels}")
    everybodys = sum(value for labels, value in bench.samples(scrape, "conn_tcp_connects_total"))
    foreign = everybodys - counted(scrape, "conn_tcp_connects_total", process)
    if foreign > FOREIGN_SHARE * result["operations"]:
        print(f"WARNING: other processes made {foreign:.0f} connects beside {result['operations']} operations: "
              "the figures are spoilt")


def run_with_agent(args):
    with bench.Agent(args.build, args.config_extra) as agent:
        cpu_before = agent.cpu_ns()
        result = run_load(args)
        # The agent's part ends when it has read what the load left in its maps.
        scrape = agent.scrape()
        result["agent_us_per_operation"] = (agent.cpu_ns() - cpu_before) / 1e3 / result["operations"]
    check_counts(scrape, args, result)
    return result


def fill_time_wait(args):
    """Sockets in TIME_WAIT cost memory and time until their table is full (see connect_load.cpp)."""
    operations = int(TIME_WAIT_TABLE.read_text()) + 10000
    bench.run_load(bench.load_program(args.build), operations, 60)


def paired_runs(args):
    without, with_agent = [run_load(args)], []
    for pair in range(args.pairs):
        with_agent.append(run_with_agent(args))
        without.append(run_load(args))
        columns = (f"{title} {with_agent[-1][name]:.1f} / {without[-1][name]:.1f}" for name, title in FIGURES.items())
        print(f"pair {pair + 1:2}, B / A:  " + "   ".join(columns), flush=True)
    return without, with_agent


def compare(without, with_agent, name):
    """Medians, and the ratios of B to the two A beside it and of each A to the one before."""
    bare, watched = [run[name] for run in without], [run[name] for run in with_agent]
    ratios = [2 * b / (bare[i] + bare[i + 1]) for i, b in enumerate(watched)]
    noise = [after / before for before, after in zip(bare, bare[1:])]
    return {"without": statistics.median(bare), "with": statistics.median(watched), "ratio": statistics.median(ratios),
            "ratio_min": min(ratios), "ratio_max": max(ratios), "aa_ratio": statistics.median(noise),
            "aa_min": min(noise), "aa_max": max(noise)}


def print_table(compared):
    print(f"\n{'median':20} {'without':>9} {'with':>9} {'ratio':>7} {'(min-max)':>15} {'A/A':>7} {'(min-max)':>15}")
    for name, title in FIGURES.items():
        row = compared[name]
        spread = f"({row['ratio_min']:.3f}-{row['ratio_max']:.3f})"
        noise = f"({row['aa_min']:.3f}-{row['aa_max']:.3f})"
        print(f"{title:20} {row['without']:9.2f} {row['with']:9.2f} {row['ratio']:7.3f} {spread:>15} "
              f"{row['aa_ratio']:7.3f} {noise:>15}")


def program_totals(scrape):
    """{program: (seconds, runs)}."""
    runs = {labels["program"]: value for labels, value in bench.samples(scrape, "connscope_bpf_runs_total")}
    return {labels["program"]: (value, runs[labels["program"]])
            for labels, value in bench.samples(scrape, "connscope_bpf_run_seconds_total")}


def bpf_time(args):
    """ns and runs an operation, by program."""
    setting = STATS.read_text()
    try:
        STATS.write_text("1\n")
        with bench.Agent(args.build, args.config_extra) as agent:
            before = program_totals(agent.scrape())
            result = run_load(args)
            scrape = agent.scrape()
    finally:
        STATS.write_text(setting)
    check_counts(scrape, args, result)
    operations, programs = result["operations"], {}
    for program, (seconds, runs) in program_totals(scrape).items():
        more_seconds, more_runs = seconds - before[program][0], runs - before[program][1]
        programs[program] = {"ns_per_operation": more_seconds * 1e9 / operations,
                             "runs_per_operation": more_runs / operations}
    if args.load == "connect" and not any(figures["runs_per_operation"] >= 1 for figures in programs.values()):
        bench.die("no BPF program ran for each operation: are BPF statistics counted on this kernel?")
    return programs


def empty_hook_ns(args):
    """ns a packet in a program that does nothing, beside the same load."""
    setting = STATS.read_text()
    try:
        STATS.write_text("1\n")
        with subprocess.Popen([str(bench.load_program(args.build, "empty_hook"))], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as hook:
            if hook.stdout.readline() != "attached\n":
                bench.die("the empty hook is not attached")
            run_load(args)
            figures = json.loads(hook.communicate()[0])
    finally:
        STATS.write_text(setting)
    return figures["ns"] / figures["runs"]


def packet_ns(args, programs):
    """ns a packet in the agent's packet programs, beyond a program that does nothing."""
    figures = [programs[name] for name in PACKET_PROGRAMS]
    runs = sum(each["runs_per_operation"] for each in figures)
    # A request and a response, each sent and received.
    if runs < 3.9:
        bench.die(f"the packet programs ran {runs:.2f} times an operation")
    whole, empty = sum(each["ns_per_operation"] for each in figures) / runs, empty_hook_ns(args)
    print(f"\na packet: {whole:.0f} ns, {empty:.0f} ns of which is being called at all")
    return whole - empty


def print_programs(programs):
    print(f"\n{'BPF program':34} {'ns/op':>8} {'runs/op':>8} {'ns/run':>7}")
    for program, figures in programs.items():
        ns, runs = figures["ns_per_operation"], figures["runs_per_operation"]
        print(f"{program:34} {ns:8.0f} {runs:8.2f} {ns / runs if runs else 0:7.0f}")


def judge(args, compared, bpf_ns, programs):
    bars = BARS["echo" if args.load == "connect" and args.echo else args.load]
    verdicts = bench.Verdicts()
    if "rate" in bars:
        verdicts.judge("rate with / without", compared["operations_per_second"]["ratio"], bars["rate"], "",
                       at_least=True)
    if "cpu" in bars:
        for name, whose in (("cpu_us_per_operation", "load's"), ("system_us_per_operation", "system's")):
            verdicts.judge(f"{whose} CPU per operation, with / without", compared[name]["ratio"], bars["cpu"], "")
    if "packet_ns" in bars:
        verdicts.judge("BPF time per packet, beyond an empty hook", packet_ns(args, programs), bars["packet_ns"], "ns")
    if "bpf_ns" in bars:
        verdicts.judge("BPF time per operation", bpf_ns, bars["bpf_ns"], "ns")
    return verdicts


def main():
    args = parse()
    bench.set_up(args)
    begin = time.monotonic()
    if args.load == "connect":
        fill_time_wait(args)
    without, with_agent = paired_runs(args)
    compared = {name: compare(without, with_agent, name) for name in FIGURES}
    agent_us = statistics.median(run["agent_us_per_operation"] for run in with_agent)
    programs = bpf_time(args)
    total_ns = sum(figures["ns_per_operation"] for figures in programs.values())

    print_table(compared)
    print(f"agent's own CPU, with one scrape at the end of each run: {agent_us:.4f} us/op")
    print_programs(programs)
    print(f"\nBPF time: {total_ns:.0f} ns/op")
    print(f"{args.pairs} pairs of {args.seconds:g} s of {load_name(args)} {' '.join(load_options(args))}, "
          f"{time.monotonic() - begin:.0f} s in all; one operation has both its ends on the host")
    verdicts = judge(args, compared, total_ns, programs)
    verdicts.finish(compared=compared, agent_us_per_operation=agent_us, programs=programs,
                    bpf_ns_per_operation=total_ns, without=without, with_agent=with_agent)


if __name__ == "__main__":
    main()
