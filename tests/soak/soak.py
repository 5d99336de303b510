#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mixed load at a bounded rate for as long as is asked for, with a scrape each second.

Programs connect and close, reset, are refused, time out, and keep 2,000 connections. The laws of laws.py have to hold
in every scrape. The agent may grow by less than a MiB once it is warm. After the load its totals are exactly what the
programs say they did, and its table of sockets is back to what it was. Needs root, a build with tests, and a host with
nothing else to do: exit code 77 says that the host cannot run it (see CONNSCOPE_BPF_TESTS in CONTRIBUTING.md)."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import bench_agent as bench  # noqa: E402
import laws  # noqa: E402

SKIP = 77
DROPPED_PORT = 7001
# A namespace of its own for the attempts that nobody answers; the only one in it to send anything is that program.
SILENT_ROOM = f"""
ip link set lo up
nft 'table inet soak {{ chain input {{ type filter hook input priority 0; tcp dport {DROPPED_PORT} drop; }}; }}'
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
[ ! -e /proc/sys/net/ipv4/tcp_syn_linear_timeouts ] || echo 0 >/proc/sys/net/ipv4/tcp_syn_linear_timeouts
exec "$@"
"""
KEPT, KEPT_REPLACE_EVERY = 2000, 10
RATES = {"echo": 200, "reset": 60, "refuse": 60, "timeout": 3, "keep": 34}  # operations a second
BAR_GROWTH_MIB, BAR_PACE = 1, 0.9
RESIDENT_SAMPLES = 10  # whose median is taken: one scrape's buffers are no growth
SETTLE_SECONDS = 30
OPENED_SECONDS = 20  # by then all kept connections have been opened
# One may just be closed and not replaced yet; its predecessor is open until the server has closed too.
ALL_KEPT = "the kept connections are open"
SHOWN_VIOLATIONS = 5  # of each law


def parse():
    parser = bench.arguments(__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="how long, at least 2")
    args = parser.parse_args()
    if args.minutes < 2:
        parser.error("--minutes: allowed: 2 or more")
    # The agent is warm after five minutes; a short form cannot wait for so long.
    args.warm_seconds = 300 if args.minutes > 10 else 60
    return args


def skip_where_impossible():
    lacking = "root" if os.geteuid() != 0 else "BTF" if not os.access("/sys/kernel/btf/vmlinux", os.R_OK) else ""
    if not lacking:
        return
    print(f"{'FAIL' if required() else 'SKIP'}  needs {lacking}")
    sys.exit(1 if required() else SKIP)


def required():
    return os.environ.get("CONNSCOPE_BPF_TESTS") == "required"


class Program:
    """A running program of the load, under a name of its own."""

    def __init__(self, folder, build, name, arguments, room=()):
        self.name = name
        path = folder / name
        shutil.copy(build / "tests/soak/soak_load", path)
        self.process = subprocess.Popen([*room, str(path), *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)

    def ended(self):
        return self.process.poll() is not None

    def tally(self):
        """Asks it to end; what it says it did."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=60)
        if self.process.returncode != 0:
            bench.die(f"{self.name} ended with {self.process.returncode}")
        return json.loads(said)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Load:
    """The programs; leaving the `with` ends them."""

    SERVED = ("echo", "reset", "keep")

    def __init__(self, build):
        self.build = build
        self.servers, self.clients = {}, {}

    def __enter__(self):
        self.files = tempfile.TemporaryDirectory(prefix="connscope-soak-")
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        folder = Path(self.files.name)
        ports = {}
        for kind in self.SERVED:
            self.servers[kind] = Program(folder, self.build, f"soak_{kind}_server", ["serve"])
            ports[kind] = json.loads(self.servers[kind].process.stdout.readline())["port"]
        ports["timeout"] = DROPPED_PORT
        for kind, rate in RATES.items():
            arguments = [kind, f"--rate={rate}"]
            if kind in ports:
                arguments.append(f"--port={ports[kind]}")
            if kind == "keep":
                arguments += [f"--connections={KEPT}", f"--replace-every={KEPT_REPLACE_EVERY}"]
            room = ["unshare", "--net", "sh", "-ec", SILENT_ROOM, "sh"] if kind == "timeout" else []
            self.clients[kind] = Program(folder, self.build, f"soak_{kind}", arguments, room)

    def programs(self):
        return [*self.clients.values(), *self.servers.values()]

    def names(self):
        return [program.name for program in self.programs()]

    def check_alive(self):
        for program in self.programs():
            if program.ended():
                bench.die(f"{program.name} ended with {program.process.returncode} before its time")

    def tallies(self):
        """{kind: tally} of the clients, then of the servers, which end when the last client has gone."""
        return ({kind: program.tally() for kind, program in self.clients.items()},
                {kind: program.tally() for kind, program in self.servers.items()})

    def stop(self):
        for program in self.programs():
            program.kill()
        self.files.cleanup()


class Watch:
    """The scrapes, and what was wrong in them."""

    def __init__(self, agent, processes):
        self.agent, self.processes = agent, processes
        self.last = None
        self.scrapes = 0
        self.broken = defaultdict(int)  # {law: scrapes that break it}
        self.resident_kib = []

    def scrape(self):
        scrape = laws.Scrape(self.agent.scrape())
        self.scrapes += 1
        violations = defaultdict(list)
        for law, what in laws.broken_laws(self.last, scrape, self.processes):
            violations[law].append(what)
        for law, found in violations.items():
            self.note(law, "; ".join(found))
        self.resident_kib.append(self.agent.resident_kib())
        self.last = scrape
        return scrape

    def note(self, law, what):
        """What one scrape breaks."""
        self.broken[law] += 1
        if self.broken[law] <= SHOWN_VIOLATIONS:
            print(f"scrape {self.scrapes}: {law}: {what}", flush=True)

    def growth_mib(self, warm):
        """From the scrapes at `warm` to the last ones."""
        median = statistics.median
        return (median(self.resident_kib[-RESIDENT_SAMPLES:]) -
                median(self.resident_kib[warm:warm + RESIDENT_SAMPLES])) / 1024


def state_maps(agent):
    """Ids of the agent's tables of sockets."""
    ids = set()
    for path in Path(f"/proc/{agent.pid}/fdinfo").iterdir():
        ids.update(re.findall(r"^map_id:\s+(\d+)$", path.read_text(), re.MULTILINE))
    return [number for number in ids if bpftool("map", "show", "id", number)["name"] == "sockets"]


def bpftool(*arguments):
    done = subprocess.run(["bpftool", "--json", *arguments], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def sockets_known(agent):
    maps = state_maps(agent)
    if not maps:
        bench.die("the agent has no BPF map `sockets`")
    return sum(len(bpftool("map", "dump", "id", number)) for number in maps)


def others_open(scrape, processes):
    return sum(scrape.sum_of_others(family, processes) for family in (laws.OPEN, "conn_tcp_connects_in_flight"))


def run_load(watch, load, seconds):
    """A scrape each second."""
    begin = time.monotonic()
    for second in range(int(seconds)):
        scrape = watch.scrape()
        kept = scrape.sum(laws.OPEN, "soak_keep", role="client")
        if second >= OPENED_SECONDS and not KEPT - 1 <= kept <= KEPT + 1:
            watch.note(ALL_KEPT, f"{kept:.0f} are open, not {KEPT}")
        load.check_alive()
        if second % 30 == 0:
            print(f"{second:5} s: {sum(scrape.sum('conn_tcp_connects_total', name) for name in load.names()):8.0f} "
                  f"connects, {kept:.0f} kept, {watch.resident_kib[-1]} KiB resident", flush=True)
        time.sleep(max(0.0, begin + second + 1 - time.monotonic()))


def wait_until_settled(watch, load, tallies):
    """The totals that are still wrong when they had time to become right."""
    clients, servers = tallies
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        scrape = watch.scrape()
        wrong = [line for kind, tally in clients.items()
                 for line in laws.wrong_totals(scrape, load.clients[kind].name, tally, server=False)]
        wrong += [line for kind, tally in servers.items()
                  for line in laws.wrong_totals(scrape, load.servers[kind].name, tally, server=True)]
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(1)


def sockets_left(agent, watch, processes, known_before, others_before):
    """Entries beyond what there was before the load and what other programs have opened since."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        others = others_open(watch.scrape(), processes) - others_before
        left = sockets_known(agent) - known_before - max(0, others)
        if left <= 0 or time.monotonic() > deadline:
            return left
        time.sleep(1)


def pace(clients, seconds):
    """The slowest program's share of the operations that it was asked for."""
    done = {kind: tally["connects"] for kind, tally in clients.items()}
    done["keep"] = clients["keep"]["sent"] / 64 - KEPT
    return min(done[kind] / (rate * seconds) for kind, rate in RATES.items())


def soak(args):
    with bench.Agent(args.build, args.config_extra) as agent:
        first = laws.Scrape(agent.scrape())
        known_before = sockets_known(agent)
        with Load(args.build) as load:
            watch = Watch(agent, load.names())
            others_before = others_open(first, load.names())
            run_load(watch, load, args.minutes * 60)
            growth = watch.growth_mib(args.warm_seconds)
            tallies = load.tallies()
            wrong = wait_until_settled(watch, load, tallies)
            left = sockets_left(agent, watch, load.names(), known_before, others_before)
    return watch, growth, tallies, wrong, left


def main():
    skip_where_impossible()
    args = parse()
    bench.set_up(args)
    watch, growth, tallies, wrong, left = soak(args)

    for line in wrong:
        print(f"wrong total: {line}")
    lost = {cause: count for cause, count in laws.lost_events(watch.last).items() if count}
    print(f"{args.minutes:g} minutes, {watch.scrapes} scrapes; resident at most {max(watch.resident_kib)} KiB; "
          f"lost events: {lost or 'none'}")
    verdicts = bench.Verdicts()
    for law in (*laws.ALL_LAWS, ALL_KEPT):
        verdicts.judge(f"scrapes that break \"{law}\"", watch.broken[law], 0, "")
    verdicts.judge("totals that differ from the programs' own", len(wrong), 0, "")
    verdicts.judge("entries left in the table of sockets", left, 0, "")
    verdicts.judge(f"growth after the first {args.warm_seconds} s", growth, BAR_GROWTH_MIB, "MiB")
    verdicts.judge("operations done / asked for", pace(tallies[0], args.minutes * 60), BAR_PACE, "", at_least=True)
    verdicts.finish(clients=tallies[0], servers=tallies[1], wrong=wrong, resident_kib=watch.resident_kib[::30])


if __name__ == "__main__":
    main()
