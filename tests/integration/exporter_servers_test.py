#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a running agent exports, as Debian's own servers have received it.

Usage: exporter_servers_test.py AGENT graphite|influxdb|otlp|prometheus_protobuf|pushgateway|redis WRITE_EXPOSITION

Each server is started here, on loopback. Exit code 77: it is not installed, which is a failure where the tests are required
(CONNSCOPE_BPF_TESTS)."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path

from exporter_lab import Agent, Server, eventually, free_port, get, leave_out

POLICY = """
[[policy]]
name = "applications"
interval = "1s"
report = ["*.app.*"]
to = ["{exporters}"]
"""


def last_value(file: Path):
    """The newest value of a whisper file."""
    import whisper  # comes with graphite-carbon
    _, values = whisper.fetch(str(file), 0)
    return next((value for value in reversed(values) if value is not None), None)


def test_graphite(program: str, folder: Path, _):
    port = free_port()
    (folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:1h\n")
    ports = "\n".join(f"{name} = {free_port()}" for name in ("PICKLE_RECEIVER_PORT", "CACHE_QUERY_PORT"))
    interfaces = "\n".join(f"{name}_INTERFACE = 127.0.0.1" for name in ("LINE_RECEIVER", "PICKLE_RECEIVER", "CACHE_QUERY"))
    folders = "\n".join(f"{name} = {folder}" for name in ("STORAGE_DIR", "LOCAL_DATA_DIR", "CONF_DIR", "LOG_DIR", "PID_DIR"))
    (folder / "carbon.conf").write_text(f"""[cache]
{folders}
LINE_RECEIVER_PORT = {port}
{ports}
{interfaces}
DATABASE = whisper
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
ENABLE_TAGS = False
CARBON_METRIC_INTERVAL = 0
USE_FLOW_CONTROL = True
""")
    config = f"""
[exporter.graphite]
address = "127.0.0.1:{port}"
prefix = "host1"
[exporter.tagged]
type = "graphite"
address = "127.0.0.1:{port}"
tags = true
accumulate = true
{POLICY.format(exporters='graphite", "tagged')}
"""
    agent = Agent(program, folder, config)
    try:
        # Carbon comes later than the first report: nothing of it is lost.
        agent.send("app.requests:3|c|#kind:a b\napp.level:-7|g")
        eventually(lambda: agent.value("failures", "tagged") and agent.value("failures", "graphite"), "nobody is there")
        carbon = Server("carbon", ["/usr/bin/python3", "/usr/bin/carbon-cache", f"--config={folder}/carbon.conf",
                                   f"--pidfile={folder}/carbon.pid", "--nodaemon", "start"], folder)
        try:
            check_graphite(folder, agent)
        finally:
            carbon.stop()
    finally:
        agent.stop()


def check_graphite(folder: Path, agent: Agent):
    found = lambda pattern: list((folder / "host1").rglob(pattern))  # the other exporter has no prefix
    level = eventually(lambda: found("level.wsp"), "the gauge comes")[0]
    requests = eventually(lambda: found("kind/a_b.wsp"), "labels are in the path")[0]
    assert eventually(lambda: last_value(level), "its value") == -7
    assert eventually(lambda: last_value(requests), "the counter's value") == 3
    file = eventually(lambda: list(folder.glob("_tagged/**/*.wsp")), "the series with tags comes")[0]
    agent.send("app.requests:4|c|#kind:a b")
    assert agent.end() == 0
    eventually(lambda: last_value(file) == 7, "the last report came before the end, and is a total")


def test_influxdb(program: str, folder: Path, _):
    http, udp, rpc = free_port(), free_port(), free_port()
    config_file = folder / "influxdb.conf"
    config_file.write_text(f"""reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[http]
  bind-address = "127.0.0.1:{http}"
  auth-enabled = true
[[udp]]
  enabled = true
  bind-address = "127.0.0.1:{udp}"
  database = "by_udp"
  batch-timeout = "10ms"
""")
    server = Server("influxd", ["influxd", "-config", str(config_file)], folder, {**os.environ, "HOME": str(folder)})
    password = "se\"cret' "
    (folder / "password").write_text("se\"cret'\n")

    def query(text: str, **more) -> dict:
        parameters = urllib.parse.urlencode({"q": text, "u": "admin", "p": password.strip(), **more})
        return json.loads(get(f"http://127.0.0.1:{http}/query?{parameters}"))

    def rows(database: str, text: str) -> list:
        series = query(text, db=database)["results"][0].get("series", [])
        return [dict(zip(one["columns"], values)) for one in series for values in one["values"]]

    agent = None
    try:
        # The first user may be made without one, and the query language escapes as TOML does.
        eventually(lambda: query("CREATE USER admin WITH PASSWORD 'se\"cret\\'' WITH ALL PRIVILEGES"), "influxd listens")
        query("CREATE DATABASE \"host metrics\"")
        agent = Agent(program, folder, f"""
[exporter.influxdb]
url = "http://127.0.0.1:{http}"
database = "host metrics"
username = "admin"
password_file = "{folder}/password"
[exporter.udp]
type = "influxdb"
url = "udp://127.0.0.1:{udp}"
[exporter.nowhere]
type = "influxdb"
url = "http://127.0.0.1:{http}"
database = "there is none"
username = "admin"
password_file = "{folder}/password"
{POLICY.format(exporters='influxdb", "udp", "nowhere')}
""")
        agent.send("app.requests:3|c|#kind:a =b\napp.time:250:750|ms")
        for database in ("host metrics", "by_udp"):
            row = eventually(lambda: rows(database, 'SELECT value, kind, process FROM "app.requests"'), f"{database} has it")[0]
            assert (row["value"], row["kind"]) == (3, "a =b"), row
            row = eventually(lambda: rows(database, 'SELECT * FROM "app.time"'), "the timer")[0]
            assert (row["go_count"], row["go_sum"]) == (2, 1), row
        eventually(lambda: agent.value("failures", "nowhere") >= 1, "what the server refuses is counted")
        agent.send("app.requests:4|c|#kind:a =b")
        assert agent.end() == 0
        total = rows("host metrics", 'SELECT sum(value) FROM "app.requests"')
        assert total[0]["sum"] == 7, total
        assert "se\"cret" not in agent.log.read_text()
    finally:
        server.stop()
        if agent:
            agent.stop()


class Exposition(http.server.ThreadingHTTPServer):
    """Serves what write_exposition writes, at /FORMAT, and notes what it was asked for."""

    daemon_threads = True

    def __init__(self, write_exposition: str):
        super().__init__(("127.0.0.1", 0), Exposition.Handler)
        self.write_exposition = write_exposition
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # the base class's name for it
            body = subprocess.run([self.server.write_exposition, self.path.strip("/")], capture_output=True, check=True).stdout
            self.send_response(200)
            self.send_header("Content-Type", PROTOBUF)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def test_prometheus_protobuf(program: str, folder: Path, write_exposition: str):
    port = free_port()
    exposition = Exposition(write_exposition)
    agent = Agent(program, folder, "")
    jobs = {"agent": (agent.port, "metrics"), "hostile": (exposition.server_port, "protobuf"),
            "native": (exposition.server_port, "native")}
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1s}\nscrape_configs:\n" + "".join(
        f"- {{job_name: {job}, metrics_path: /{path}, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}\n"
        for job, (target, path) in jobs.items()))
    server = Server("prometheus", ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                                   "--enable-feature=native-histograms,exemplar-storage", f"--web.listen-address=127.0.0.1:{port}"], folder)

    def value(query: str) -> float:
        answer = get(f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        result = json.loads(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    try:
        for job in jobs:
            eventually(lambda: value(f'up{{job="{job}"}} == 1'), f"{job} is scraped without an error")
        assert value('scrape_samples_scraped{job="agent"}') > 20
        assert value('hostile_sent_bytes_total{case="fraction"}') == 0.1
        assert value("histogram_count(geometric_seconds)") == 5000
        for quantile in (0.01, 0.25, 0.5, 0.9, 0.99):
            truth = 0.001 * 1.002 ** (5000 * quantile)
            seen = value(f"histogram_quantile({quantile}, geometric_seconds)")
            assert abs(seen - truth) <= 0.1 * truth, (quantile, seen, truth)
        parameters = urllib.parse.urlencode({"query": '{__name__=~"hostile_.*"}'})
        found = json.loads(get(f"http://127.0.0.1:{port}/api/v1/query_exemplars?{parameters}"))["data"]
        seen = {one["seriesLabels"]["__name__"]: [exemplar["labels"] for exemplar in one["exemplars"]] for one in found}
        assert {"peer": 'a"b\\c\n', "host": "a\ufffd\ufffd"} in seen["hostile_requests_total"], seen
        assert any({"peer": "[2001:db8::1]:443"} in exemplars for exemplars in seen.values()), seen
    finally:
        server.stop()
        agent.stop()
        exposition.shutdown()


def test_pushgateway(program: str, folder: Path, _):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    shown = lambda: get(f"{url}/metrics")
    agent = Agent(program, folder, f"""
[exporter.pushgateway]
url = "{url}"
interval = "1s"
job = "edge/hosts"
instance = "web1"
delete_at_stop = true
[exporter.stays]
type = "pushgateway"
url = "{url}"
interval = "1s"
names = ["app_*"]
instance = "web2"
""")
    gateway = None
    try:
        agent.send("app.requests:3|c")
        eventually(lambda: agent.value("failures", "pushgateway"), "nobody is there")
        gateway = Server("pushgateway", ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}"], folder)
        line = eventually(lambda: [line for line in shown().splitlines()
                                   if line.startswith("app_requests_total{") and 'instance="web1"' in line], "it is pushed")[0]
        assert 'job="edge/hosts"' in line and line.endswith(" 3"), line
        eventually(lambda: [line for line in shown().splitlines() if line.startswith("connscope_build_info{")], "all of it")
        eventually(lambda: 'instance="web2"' in shown(), "the other one")
        agent.send("app.requests:4|c")
        assert agent.end() == 0
        lines = [line for line in shown().splitlines() if line.startswith(("app_", "connscope_"))]
        assert lines and all('instance="web2"' in line and line.startswith("app_requests_total") for line in lines), lines
        assert lines[0].endswith(" 7"), "the last word came before the end"
    finally:
        agent.stop()
        if gateway:
            gateway.stop()


class Collector(http.server.ThreadingHTTPServer):
    """Takes OTLP, as protobuf or JSON, and reads it by the published definitions."""

    daemon_threads = True

    def __init__(self):
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
        from otlp_messages import message  # python3-protobuf
        self.message = message
        self.requests = {"application/x-protobuf": [], "application/json": []}
        super().__init__(("127.0.0.1", 0), Collector.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def total(self, media_type: str, name: str) -> int:
        """What the sum of this name has come to: the last one where it is cumulative, all of them where it is a difference."""
        total = 0
        for request in list(self.requests[media_type]):
            for metric in (metric for resource in request.resource_metrics for scope in resource.scope_metrics
                           for metric in scope.metrics if metric.name == name):
                value = sum(point.as_int for point in metric.sum.data_points)
                total = value if metric.sum.aggregation_temporality == 2 else total + value
        return total

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # the base class's name for it
            from google.protobuf import json_format
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = self.server.message("ExportMetricsServiceRequest")()
            kind = self.headers["Content-Type"]
            if kind == "application/json":
                json_format.Parse(body, request)
            else:
                request.ParseFromString(body)
            self.server.requests[kind].append(request)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass


def test_otlp(program: str, folder: Path, _):
    collector = Collector()
    url = f"http://127.0.0.1:{collector.server_port}/v1/metrics"
    agent = Agent(program, folder, f"""
[exporter.otlp]
url = "{url}"
interval = "1s"
[exporter.delta]
type = "otlp"
url = "{url}"
interval = "1s"
encoding = "json"
temporality = "delta"
attributes = ["deployment.environment=test"]
names = ["app_*"]
""")
    try:
        agent.send("app.requests:3|c")
        for kind in collector.requests:
            eventually(lambda: collector.total(kind, "app_requests") == 3, f"{kind} comes")
        agent.send("app.requests:4|c")
        assert agent.end() == 0
        for kind in collector.requests:
            assert collector.total(kind, "app_requests") == 7, (kind, "the last word came before the end")
    finally:
        agent.stop()
        collector.shutdown()


class Redis:
    """redis-server with a password and TLS, which redis-cli asks."""

    def __init__(self, folder: Path):
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                        "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"],
                       cwd=folder, check=True, capture_output=True)
        (folder / "password").write_text("s3cret\n")
        self.server = None

    def start(self):
        self.server = Server("redis", ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--tls-port",
                                       str(self.tls_port), "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem",
                                       "--tls-ca-cert-file", "cert.pem", "--tls-auth-clients", "no", "--requirepass", "s3cret",
                                       "--save", "", "--appendonly", "no"], self.folder)
        eventually(lambda: self.ask("PING") == ["PONG"], "redis-server listens")

    def ask(self, *words: str) -> list:
        command = ["redis-cli", "-p", str(self.port), "--no-auth-warning", "-a", "s3cret", *words]
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()

    def hash(self, name: str) -> dict:
        lines = self.ask("HGETALL", name)
        return dict(zip(lines[::2], lines[1::2]))

    def stop(self):
        if self.server:
            self.server.stop()


def check_expose(program: str, folder: Path, redis: Redis, field: str):
    """Shows what agents and another program have written, in a format that Prometheus takes."""
    redis.ask("HSET", "other", "jobs_total::queue=\"a\"", "12", "jobs_total:t:", "c", "jobs_total:d:", "Jobs.", "broken", "x")
    file = folder / "expose.toml"
    file.write_text(f'[expose]\npassword_file = "{folder}/password"\n')
    port = free_port()
    server = Server("expose", [program, "expose", "--config", str(file), "--redis", f"127.0.0.1:{redis.port}", "--namespace",
                               "apps,other", "--web.listen-address", f"127.0.0.1:{port}"], folder)
    scrape = lambda: get(f"http://127.0.0.1:{port}/metrics")
    try:
        shown = eventually(scrape, "it is served")
        assert 'jobs_total{namespace="other",queue="a"} 12\n' in shown, shown
        labels = field.split(":", 2)[2].replace(",process", ',namespace="apps",process')
        assert f"app_requests_total{{{labels}}} 10\n" in shown, shown
        assert 'connscope_expose_refused_fields{namespace="other"} 1\n' in shown and "connscope_expose_up 1\n" in shown, shown
        subprocess.run(["promtool", "check", "metrics"], input=shown, text=True, check=True, capture_output=True)
        redis.stop()
        assert "connscope_expose_up 0\n" in scrape(), "Redis is away"
        redis.start()
        assert "connscope_expose_up 1\n" in scrape(), "and is back"
    finally:
        server.stop()


def test_redis(program: str, folder: Path, _):
    redis = Redis(folder)
    second = folder / "second"
    second.mkdir()
    config = lambda port, more: f"""
[exporter.redis]
address = "127.0.0.1:{port}"
password_file = "{folder}/password"
namespace = "apps"
names = ["app_*"]
interval = "1s"
expire = "1h"
{more}
"""
    agents = [Agent(program, folder, config(redis.port, "")),
              Agent(program, second, config(redis.tls_port, f'tls = true\nca_file = "{folder}/cert.pem"'))]
    value = lambda field: redis.hash("apps").get(field)
    try:
        for agent in agents:
            agent.send("app.requests:3|c|#kind:a\napp.time:250|ms")
            eventually(lambda: agent.value("failures", "redis"), "nobody is there")
        redis.start()
        field = eventually(lambda: [f for f in redis.hash("apps") if f.startswith("app_requests_total::kind=\"a\",process=")],
                           "the counter comes")[0]
        eventually(lambda: value(field) == "6", "two agents add up, and an outage loses nothing")
        labels = field.split(":", 2)[2].split(",")[1]
        eventually(lambda: float(value(f"app_time_seconds:s:{labels}")) == 0.5, "sums add up")
        assert value(f"app_time_seconds:c:{labels}") == "2"
        assert value(f'app_time_seconds:b:le="+Inf",{labels}') == "2"
        assert (value("app_requests_total:t:"), value("app_time_seconds:t:")) == ("c", "h")
        assert 3500 < int(redis.ask("TTL", "apps")[0]) <= 3600
        redis.ask("FLUSHALL")
        agents[0].send("app.requests:4|c|#kind:a")
        eventually(lambda: value(field) == "4", "a flush is a new beginning")
        assert value("app_requests_total:t:") == "c", "and heals"
        agents[0].process.send_signal(signal.SIGHUP)
        agents[1].send("app.requests:5|c|#kind:a")
        eventually(lambda: value(field) == "9", "a reload adds nothing twice")
        agents[0].send("app.requests:1|c|#kind:a")
        assert [agent.end() for agent in agents] == [0, 0]
        assert value(field) == "10", "the last transfer came before the end"
        check_expose(program, folder, redis, field)
    finally:
        for agent in agents:
            agent.stop()
        redis.stop()


SERVERS = {"graphite": "carbon-cache", "influxdb": "influxd", "otlp": "python3", "prometheus_protobuf": "prometheus",
           "pushgateway": "prometheus-pushgateway", "redis": "redis-server"}


def main(program: str, exporter: str, write_exposition: str) -> int:
    if not shutil.which(SERVERS[exporter]):
        leave_out(f"there is no {SERVERS[exporter]}")
    with tempfile.TemporaryDirectory(prefix=f"connscope-{exporter}-") as folder:
        try:
            globals()[f"test_{exporter}"](program, Path(folder), write_exposition)
        except BaseException:
            for log in sorted(Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
    print(f"{exporter}: the server has what the agent exported")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
