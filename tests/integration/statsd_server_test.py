#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports of a running agent, as npm's statsd has received them: its counters, its gauges, and that it refused no line.

Usage: statsd_server_test.py AGENT FOLDER

The server is installed by npm into FOLDER when it is not there yet. Exit code 77: it cannot be had, which is a failure where
the tests are required (CONNSCOPE_BPF_TESTS)."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from exporter_lab import Agent, eventually, free_port, leave_out

PACKAGE = "statsd@0.9.0"


def install(folder: Path) -> Path:
    script = folder / "node_modules/statsd/stats.js"
    if script.is_file():
        return script
    if not shutil.which("npm") or not shutil.which("node"):
        leave_out("there is no npm to install statsd with")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--omit=optional", "--prefix", str(folder), PACKAGE]
    if subprocess.run(command, stdout=subprocess.DEVNULL, timeout=120).returncode != 0:
        leave_out(f"npm cannot install {PACKAGE}")
    return script


class Statsd:
    """statsd, which is asked over its management port and never flushes, so that its counters add up."""

    def __init__(self, script: Path, folder: Path):
        self.port, self.mgmt_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        config = folder / "statsd.js"
        config.write_text(json.dumps({"port": self.port, "address": "127.0.0.1", "mgmt_port": self.mgmt_port,
                                      "mgmt_address": "127.0.0.1", "backends": [], "flushInterval": 1_000_000}))
        self.process = subprocess.Popen(["node", str(script), str(config)], stdout=subprocess.DEVNULL)
        eventually(lambda: self.ask("health"), "statsd listens")

    def ask(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self.mgmt_port), timeout=5) as connection:
            connection.sendall(f"{command}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def values(self, kind: str) -> dict:
        """What `counters` or `gauges` shows: an object as node prints it."""
        shown = self.ask(kind).split("END")[0]
        lines = (line.strip().rstrip(",") for line in shown.splitlines())
        pairs = (line.rsplit(": ", 1) for line in lines if ": " in line)
        return {name.strip("'\"{ "): float(value.strip("} ")) for name, value in pairs}

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


CONFIG = """
[exporter.statsd]
address = "127.0.0.1:{port}"
prefix = "host1"
[[policy]]
name = "applications"
interval = "200ms"
report = ["*.app.*"]
to = "statsd"
"""


def check(server: Statsd, agent: Agent):
    agent.send("app.requests:3|c\napp.level:7|g\n")
    name = eventually(lambda: next((n for n in server.values("counters") if n.endswith(".app.requests")), None),
                      "the counter comes")
    assert name.startswith("host1."), name
    gauge = name.replace("requests", "level")
    eventually(lambda: server.values("gauges").get(gauge) == 7, "the gauge comes")
    agent.send("app.requests:4|c\napp.level:-10|g\n")
    eventually(lambda: server.values("counters")[name] == 7, "a second report adds to the first")
    # The ingest takes a sign for a change, as statsd does: 7 - 10.
    eventually(lambda: server.values("gauges")[gauge] == -3, "a negative gauge is set, not subtracted")
    agent.send("app.requests:5|c")
    assert agent.end() == 0
    eventually(lambda: server.values("counters")[name] == 12, "the last report came before the end")
    counters = server.values("counters")
    assert counters.get("statsd.bad_lines_seen", 0) == 0, counters


def main(program: str, installed: str) -> int:
    script = install(Path(installed))
    with tempfile.TemporaryDirectory(prefix="connscope-statsd-") as folder:
        server = Statsd(script, Path(folder))
        agent = Agent(program, Path(folder), CONFIG.format(port=server.port))
        try:
            check(server, agent)
        finally:
            server.stop()
            agent.stop()
    print("statsd has received what the agent reported")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
