# SPDX-License-Identifier: Apache-2.0
"""What the measuring scripts share: an agent of their own, its figures in /proc, its metrics, and the verdicts."""

import argparse
import ctypes
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def die(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def arguments(description):
    """A parser with the options that all the scripts have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="folder of the build to measure")
    parser.add_argument("--config-extra", default="", metavar="TOML", help="lines for the agent's config")
    return parser


def set_up(args):
    """Checks what every measurement needs, and lets SIGTERM run the clean-up as SIGINT does."""
    if os.geteuid() != 0:
        die("needs root: the agent loads BPF programs")
    loads = [load_program(args.build, name) for name in ("connect_load", "request_load", "packet_load", "empty_hook")]
    for program in (agent_program(args.build), *loads):
        if not os.access(program, os.X_OK):
            die(f"{program} is missing: build it first (scripts/build.sh release)")
    running = [path.parent.name for path in Path("/proc").glob("[0-9]*/comm") if comm_of(path) == "connscope"]
    if running:
        print(f"WARNING: another agent runs (pid {', '.join(running)}): the figures are spoilt")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def comm_of(path):
    try:
        return path.read_text().strip()
    except OSError:  # it has ended meanwhile
        return ""


def agent_program(build):
    return build / "connscope"


def load_program(build, name="connect_load"):
    return build / "tests/bench" / name


# Before a command: in a network namespace of its own, which has loopback and nothing else.
IN_NETNS = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def run_load(program, operations, seconds, *extra, inside=()):
    """One run of a load; its line of JSON."""
    command = [*inside, str(program), f"--operations={operations}", f"--seconds={seconds}", *extra]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        die(f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Agent:
    """A running agent; leaving the `with` ends it."""

    def __init__(self, build, config_extra="", start_seconds=30):
        self.program = agent_program(build)
        self.config_extra = config_extra
        self.start_seconds = start_seconds
        self.port = free_port()
        self.process = None
        self.connection = None

    def __enter__(self):
        self.files = tempfile.TemporaryDirectory(prefix="connscope-bench-")
        config = Path(self.files.name) / "connscope.toml"
        config.write_text(self.config_extra + "\n")
        self.log = Path(self.files.name) / "log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [str(self.program), "--config", str(config), f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self):
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                die(f"the agent ended with {self.process.returncode}:\n{self.log.read_text()}")
            try:
                if self.get("/-/ready")[0] == 200:
                    break
            except OSError:
                pass
            self.hang_up()
            time.sleep(0.05)
        else:
            die(f"the agent is not ready after {self.start_seconds} s:\n{self.log.read_text()}")
        up = {labels["probe"]: value for labels, value in samples(self.scrape(), "connscope_probe_up")}
        if not up or not all(up.values()):
            die(f"a probe is off ({up}):\n{self.log.read_text()}")

    def stop(self):
        self.hang_up()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.files.cleanup()

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path, headers=None):
        """Status and body, over a connection that is kept while the agent keeps it (a second)."""
        kept = self.connection is not None
        if not kept:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self.connection.request("GET", path, headers=headers or {})
            response = self.connection.getresponse()
            return response.status, response.read()
        except ConnectionError:
            self.hang_up()
            if not kept:
                raise
            return self.get(path, headers)

    def scrape_bytes(self, accept=TEXT, compressed=False):
        """The body as it came."""
        encoding = "gzip" if compressed else "identity"
        status, body = self.get("/metrics", {"Accept": accept, "Accept-Encoding": encoding})
        if status != 200:
            die(f"a scrape was answered with {status}: {body!r}")
        if compressed != (body[:2] == b"\x1f\x8b"):
            die(f"asked for {encoding}, got {body[:20]!r}")
        return body

    def scrape(self, accept=TEXT, compressed=False):
        body = self.scrape_bytes(accept, compressed)
        return (gzip.decompress(body) if compressed else body).decode()

    def cpu_ns(self):
        """CPU time of the process with all its threads, also ended ones; /proc/PID/stat counts in steps of 10 ms."""
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock)) != 0:
            die(f"process {self.pid} has no CPU clock")
        return time.clock_gettime_ns(clock.value)

    def resident_kib(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1))


def samples(text, name):
    """(labels, value) of each sample of that name."""
    found = []
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match and match.group(1) == name:
            found.append((dict(LABEL.findall(match.group(2) or "")), float(match.group(3))))
    return found


def sample_lines(text):
    """How many series a scrape has, as Prometheus counts them: one a line that is no comment."""
    return sum(1 for line in text.splitlines() if line and not line.startswith("#"))


class Verdicts:
    """The bars, and whether all were met."""

    def __init__(self):
        self.rows = []

    def judge(self, what, value, bar, unit, at_least=False):
        passed = value >= bar if at_least else value <= bar
        self.rows.append({"what": what, "value": value, "unit": unit, "bar": bar, "pass": passed})
        sign = ">=" if at_least else "<="
        space = " " if unit else ""
        print(f"{'PASS' if passed else 'FAIL'}  {what}: {value:.4g}{space}{unit} (bar {sign} {bar}{space}{unit})")

    def finish(self, **figures):
        """Prints everything as one line of JSON and ends the script."""
        print(json.dumps({"bars": self.rows, **figures}))
        sys.exit(0 if all(row["pass"] for row in self.rows) else 1)
