#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Remote write to Debian's Prometheus, with TLS, a password and native histograms, and to VictoriaMetrics, at once: both come late,
are killed, and come back; what writes is killed too. All samples arrive, each with its value and its time, and none but
those.

Usage: remote_write_test.py SNAPSHOT_FEEDER

Exit code 77: a server is not installed, which is a failure where the tests are required (CONNSCOPE_BPF_TESTS)."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exporter_lab import eventually
from remote_write_receivers import Prometheus, VictoriaMetrics, require_servers

LAST = 200
EPOCH = int(time.time()) - LAST - 60


def samples(receiver, name: str) -> list:
    """(number, value) of each sample."""
    series = f'{name}{{job="feed",instance="web1",region="eu"}}'
    return [(round(at) - EPOCH, value) for at, value in receiver.samples(series, EPOCH + LAST, LAST + 10)]


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
{prometheus.config()}histograms = "both"
exemplars = true
{common}
[exporter.victoria]
type = "remote_write"
{victoria.config()}{common}""")
    feeder = Feeder(program, folder, config, 1)
    feeder.run_to(30)  # nobody is there
    last = feeder.kill() or 30
    victoria.start()
    prometheus.start_and_wait(EPOCH)
    feeder = Feeder(program, folder, config, last + 1)
    feeder.run_to(70)
    prometheus.end()
    feeder.run_to(100)
    prometheus.start()
    victoria.end()
    feeder.run_to(130)
    victoria.start()
    last = feeder.kill() or 130
    feeder = Feeder(program, folder, config, last + 1)
    return feeder.finish()


def check(outcome: list, prometheus: Prometheus, victoria: VictoriaMetrics):
    assert len(outcome) == 2 and all("dropped 0 refused 0" in line for line in outcome), outcome
    wanted = [(number, number) for number in range(1, LAST + 1)]
    for receiver in (prometheus, victoria):
        got = eventually(lambda: samples(receiver, "feed_number")[-1:] == wanted[-1:] and samples(receiver, "feed_number"), "the last")
        assert got == wanted, (type(receiver).__name__, sorted(set(wanted) ^ set(got)))
    there = [number for number, _ in wanted if number % 10 != 0]
    assert [number for number, value in samples(prometheus, "feed_transient")] == there
    assert not prometheus.query("feed_transient", EPOCH + LAST), "its end is known at once, by the stale marker"
    assert prometheus.query("feed_transient", EPOCH + LAST - 1)
    for quantile in (0.01, 0.5, 0.99):
        truth = 0.001 * 1.002 ** (5000 * quantile)
        seen = float(prometheus.query(f"histogram_quantile({quantile}, feed_seconds)", EPOCH + LAST)[0]["value"][1])
        assert abs(seen - truth) <= 0.1 * truth, (quantile, seen, truth)
    assert prometheus.query("feed_seconds_count", EPOCH + LAST)[0]["value"][1] == "5000", "the classic ones are there too"


def check_exemplars(prometheus: Prometheus):
    """Of each bucket all, once, and of the native histogram as well; those that were told before the writer was killed again."""
    seen = {}
    for series, exemplars in prometheus.exemplars('{__name__=~"feed_seconds.*"}', EPOCH, EPOCH + LAST + 10):
        told = [(int(one["labels"]["number"]), float(one["value"]), round(2 * (one["timestamp"] - EPOCH)) / 2) for one in exemplars]
        seen[series["__name__"] + series.get("le", "")] = told
    numbers = range(10, LAST + 1, 10)
    quick, slow = [(n, 0.001, n + 0.5) for n in numbers], [(n, 1, n) for n in numbers]
    assert seen.pop("feed_seconds") == [one for pair in zip(slow, quick) for one in pair], "by their times"
    assert sorted(seen.values()) == [quick, slow], seen


def main(program: str) -> int:
    require_servers()
    with tempfile.TemporaryDirectory(prefix="connscope-remote-write-") as name:
        folder = Path(name)
        prometheus, victoria = Prometheus(folder), VictoriaMetrics(folder)
        try:
            check(run(program, folder, prometheus, victoria), prometheus, victoria)
            check_exemplars(prometheus)
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            prometheus.stop()
            victoria.stop()
    print(f"remote write: both receivers have all {LAST} samples, in order")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
