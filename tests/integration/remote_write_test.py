#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Remote write to Debian's Prometheus, with TLS, a password and native histograms, and to VictoriaMetrics, at once: both come late,
are killed, and come back; what writes is killed too. All samples arrive, each with its value and its time, and none but
those.

Usage: remote_write_test.py SNAPSHOT_FEEDER

Exit code 77: a server is not installed, which is a failure where the tests are required (CONNSCOPE_BPF_TESTS)."""

import base64
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from exporter_lab import Server, eventually, free_port, leave_out

LAST = 400
EPOCH = int(time.time()) - LAST - 60
PASSWORD = "s3cret"
PASSWORD_HASH = "$2b$04$.8QO9/f3xIK9IoG7HnmamOV5CXq6ku9K3mPWHrpltNQhf7czFJtlm"  # bcrypt, as Prometheus wants it


def make_certificate(folder: Path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"],
                   cwd=folder, check=True, capture_output=True)


class Prometheus:
    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        make_certificate(folder)
        (folder / "password").write_text(PASSWORD + "\n")
        (folder / "prometheus.yml").write_text("global: {}\n")
        (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\n"
                                        f"basic_auth_users: {{agent: '{PASSWORD_HASH}'}}\n")

    def start(self):
        self.server = Server("prometheus", [
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.config.file=web.yml",
            "--web.enable-remote-write-receiver", "--enable-feature=native-histograms", f"--web.listen-address=127.0.0.1:{self.port}"],
            self.folder)

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def query(self, query: str, at: int) -> list:
        parameters = urllib.parse.urlencode({"query": query, "time": EPOCH + at})
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}/api/v1/query?{parameters}")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"agent:{PASSWORD}".encode()).decode())
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return json.loads(answer.read())["data"]["result"]

    def samples(self, name: str) -> list:
        series = self.query(f'{name}{{job="feed",instance="web1",region="eu"}}[{LAST + 10}s]', LAST)
        return [(int(at) - EPOCH, float(value)) for at, value in series[0]["values"]] if series else []


class VictoriaMetrics:
    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()

    def start(self):
        self.server = Server("victoria-metrics", [
            "victoria-metrics", "-storageDataPath=victoria", "-retentionPeriod=100y", f"-httpListenAddr=127.0.0.1:{self.port}"],
            self.folder)

    def samples(self, name: str) -> list:
        parameters = urllib.parse.urlencode({"match[]": name, "reduce_mem_usage": 1})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/export?{parameters}", timeout=5) as answer:
            series = [json.loads(line) for line in answer.read().splitlines()]
        values = [(at // 1000 - EPOCH, value) for one in series for at, value in zip(one["timestamps"], one["values"])]
        return sorted(values)


class Feeder:
    """What an agent would send; its standard output says how far it is."""

    def __init__(self, program: str, folder: Path, config: Path, first: int):
        self.log = (folder / "feeder.log").open("a")
        self.process = subprocess.Popen([program, str(config), str(first), str(LAST)], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env={**os.environ, "FEED_EPOCH": str(EPOCH)})

    def run_to(self, number: int):
        for line in self.process.stdout:
            if int(line) == number:
                return
        raise AssertionError(f"the feeder ended before {number}")

    def kill(self):
        """The highest number that it has said it has."""
        self.process.kill()
        lines = self.process.stdout.read().split()
        self.process.wait()
        return int(lines[-1]) if lines else None

    def finish(self) -> list:
        output, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.process.returncode
        return [line for line in output.splitlines() if line.startswith("sent")]


def run(program: str, folder: Path, prometheus: Prometheus, victoria: VictoriaMetrics) -> list:
    config = folder / "feed.toml"
    common = f'interval = "1s"\ntimeout = "2s"\nqueue = "{folder}/queue"\njob = "feed"\ninstance = "web1"\nlabels = ["region=eu"]\n'
    config.write_text(f"""[exporter.remote_write]
url = "https://127.0.0.1:{prometheus.port}/api/v1/write"
username = "agent"
password_file = "{folder}/password"
ca_file = "{folder}/cert.pem"
histograms = "both"
{common}
[exporter.victoria]
type = "remote_write"
url = "http://127.0.0.1:{victoria.port}/api/v1/write"
{common}""")
    feeder = Feeder(program, folder, config, 1)
    feeder.run_to(60)  # nobody is there
    last = feeder.kill() or 60
    prometheus.start()
    victoria.start()
    eventually(lambda: prometheus.query("vector(1)", LAST), "Prometheus listens")
    feeder = Feeder(program, folder, config, last + 1)
    feeder.run_to(140)
    prometheus.kill()
    feeder.run_to(200)
    prometheus.start()
    victoria.server.stop()  # politely: it tells what it has taken only after a second that it is on disk
    feeder.run_to(260)
    victoria.start()
    last = feeder.kill() or 260
    feeder = Feeder(program, folder, config, last + 1)
    return feeder.finish()


def check(outcome: list, prometheus: Prometheus, victoria: VictoriaMetrics):
    assert len(outcome) == 2 and all("dropped 0 refused 0" in line for line in outcome), outcome
    wanted = [(number, number) for number in range(1, LAST + 1)]
    for receiver in (prometheus, victoria):
        got = eventually(lambda: receiver.samples("feed_number")[-1:] == wanted[-1:] and receiver.samples("feed_number"), "the last")
        assert got == wanted, (type(receiver).__name__, sorted(set(wanted) ^ set(got)))
    there = [number for number, _ in wanted if number % 10 != 0]
    assert [number for number, value in prometheus.samples("feed_transient")] == there
    assert not prometheus.query("feed_transient", LAST), "its end is known at once, by the stale marker"
    assert prometheus.query("feed_transient", LAST - 1)
    for quantile in (0.01, 0.5, 0.99):
        truth = 0.001 * 1.002 ** (5000 * quantile)
        seen = float(prometheus.query(f"histogram_quantile({quantile}, feed_seconds)", LAST)[0]["value"][1])
        assert abs(seen - truth) <= 0.1 * truth, (quantile, seen, truth)
    assert prometheus.query("feed_seconds_count", LAST)[0]["value"][1] == "5000", "the classic ones are there too"


def main(program: str) -> int:
    for server in ("prometheus", "victoria-metrics"):
        if not shutil.which(server):
            leave_out(f"there is no {server}")
    with tempfile.TemporaryDirectory(prefix="connscope-remote-write-") as name:
        folder = Path(name)
        prometheus, victoria = Prometheus(folder), VictoriaMetrics(folder)
        try:
            check(run(program, folder, prometheus, victoria), prometheus, victoria)
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            for receiver in (prometheus, victoria):
                if hasattr(receiver, "server"):
                    receiver.server.stop()
    print(f"remote write: both receivers have all {LAST} samples, in order")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
