# SPDX-License-Identifier: Apache-2.0
"""What tests of exporters with real servers share: an agent without probes that takes lines of applications, servers on free
ports, and waiting for conditions."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

LIMIT_SECONDS = 20
CANNOT = 77  # ctest's SKIP_RETURN_CODE

# The exporters have applications' metrics to send, so the probes may rest.
NO_PROBES = "\n".join(f"[probe.{name}]\nenabled = false" for name in (
    "tcp", "attempt", "detail", "packet", "libc_lookup", "dns", "tls", "openssl", "gnutls", "nss", "go_tls"))


def leave_out(reason: str):
    """Ends the test as one that cannot run here, or as a failure where tests are required."""
    print(reason)
    sys.exit(1 if os.environ.get("CONNSCOPE_BPF_TESTS") == "required" else CANNOT)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def eventually(condition, what: str, limit_seconds: float = LIMIT_SECONDS):
    """The first result that is true; OSError and HTTP errors of a server that is not there yet are none."""
    end = time.monotonic() + limit_seconds
    seen = None
    while time.monotonic() < end:
        try:
            seen = condition()
        except (OSError, urllib.error.HTTPError) as error:
            seen = error
        else:
            if seen:
                return seen
        time.sleep(0.05)
    raise AssertionError(f"not within {limit_seconds} s: {what}; last: {seen!r}")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


class Server:
    """A child process, whose output is in FOLDER/NAME.log."""

    def __init__(self, name: str, command: list, folder: Path, environment: dict = None):
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Agent(Server):
    def __init__(self, program: str, folder: Path, config: str, wait_for_ingest: bool = True):
        self.ingest = folder / "ingest.sock"
        self.port = free_port()
        file = folder / "connscope.toml"
        file.write_text(f'[control]\npath = "{folder}/control.sock"\n[ingest]\npath = "{self.ingest}"\n{NO_PROBES}\n{config}\n')
        super().__init__("connscope", [program, "--config", str(file), "--web.listen-address", f"127.0.0.1:{self.port}"], folder)
        if wait_for_ingest:
            eventually(self.ingest.exists, "the agent takes lines")

    def send(self, lines: str):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(lines.encode(), str(self.ingest))

    def value(self, name: str, exporter: str) -> float:
        """Of connscope_export_NAME_total."""
        return self.gauge(f"{name}_total", exporter)

    def gauge(self, name: str, exporter: str) -> float:
        """Of connscope_export_NAME."""
        prefix = f'connscope_export_{name}{{exporter="{exporter}"}} '
        for line in get(f"http://127.0.0.1:{self.port}/metrics").splitlines():
            if line.startswith(prefix):
                return float(line[len(prefix):])
        return 0

    def end(self) -> int:
        """Ends it as systemd does, and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)
