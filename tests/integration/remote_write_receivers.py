# SPDX-License-Identifier: Apache-2.0
"""The two that tests of remote write send to: Debian's Prometheus, with TLS and a password, and VictoriaMetrics. Both are started,
ended and asked by the test, on loopback."""

import base64
import json
import shutil
import signal
import ssl
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from exporter_lab import Server, eventually, free_port, leave_out

PASSWORD = "s3cret"
PASSWORD_HASH = "$2b$04$.8QO9/f3xIK9IoG7HnmamOV5CXq6ku9K3mPWHrpltNQhf7czFJtlm"  # bcrypt, as Prometheus wants it


def require_servers():
    for server in ("prometheus", "victoria-metrics"):
        if not shutil.which(server):
            leave_out(f"there is no {server}")


def make_certificate(folder: Path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"],
                   cwd=folder, check=True, capture_output=True)


class Receiver:
    # How it may be ended without losing what it has said that it has.
    end_signal = signal.SIGTERM

    def __init__(self, folder: Path):
        self.folder, self.port, self.server = folder, free_port(), None

    def start(self):
        self.server = Server(type(self).__name__, self.command(), self.folder)

    def end(self):
        if self.server:
            self.server.process.send_signal(self.end_signal)
            self.server.process.wait(20)

    def stop(self):
        if self.server:
            self.server.stop()


class Prometheus(Receiver):
    end_signal = signal.SIGKILL

    def __init__(self, folder: Path):
        super().__init__(folder)
        make_certificate(folder)
        (folder / "password").write_text(PASSWORD + "\n")
        (folder / "prometheus.yml").write_text("global: {}\n")
        (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\n"
                                        f"basic_auth_users: {{agent: '{PASSWORD_HASH}'}}\n")

    def command(self) -> list:
        return ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.config.file=web.yml",
                "--web.enable-remote-write-receiver", "--enable-feature=native-histograms,exemplar-storage", f"--web.listen-address=127.0.0.1:{self.port}"]

    def config(self) -> str:
        """Keys of the exporter's section."""
        return (f'url = "https://127.0.0.1:{self.port}/api/v1/write"\nusername = "agent"\npassword_file = "{self.folder}/password"\n'
                f'ca_file = "{self.folder}/cert.pem"\n')

    def query(self, query: str, at: float) -> list:
        return self.ask("query", {"query": query, "time": at})["result"]

    def exemplars(self, series: str, start: float, end: float) -> list:
        """(labels of the series, exemplars) of each."""
        found = self.ask("query_exemplars", {"query": series, "start": start, "end": end})
        return [(one["seriesLabels"], one["exemplars"]) for one in found]

    def ask(self, what: str, parameters: dict):
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"agent:{PASSWORD}".encode()).decode())
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return json.loads(answer.read())["data"]

    def samples(self, series: str, until: float, seconds: int) -> list:
        """(time, value) of each."""
        found = self.query(f"{series}[{seconds}s]", until)
        return [(float(at), float(value)) for at, value in found[0]["values"]] if found else []

    def start_and_wait(self, now: float):
        self.start()
        eventually(lambda: self.query("vector(1)", now), "Prometheus listens")


class VictoriaMetrics(Receiver):
    """It says that it has something a second before that is on disk. What comes twice it keeps twice, unless it is told not to."""

    def command(self) -> list:
        return ["victoria-metrics", "-storageDataPath=victoria", "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms",
                # It would wait for the exporter, which keeps its connection.
                "-http.maxGracefulShutdownDuration=100ms",
                f"-httpListenAddr=127.0.0.1:{self.port}"]

    def config(self) -> str:
        return f'url = "http://127.0.0.1:{self.port}/api/v1/write"\n'

    def samples(self, series: str, until: float, seconds: int) -> list:
        parameters = urllib.parse.urlencode({"match[]": series})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/export?{parameters}", timeout=5) as answer:
            found = [json.loads(line) for line in answer.read().splitlines()]
        values = [(at / 1000, value) for one in found for at, value in zip(one["timestamps"], one["values"])]
        return sorted(value for value in values if until - seconds <= value[0] <= until)
