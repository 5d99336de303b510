#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running agent's remote write to Prometheus and VictoriaMetrics, which are down for a while and then ended at random moments: no
sample of each second is lost, and none comes out of order.

Usage: remote_write_outage_test.py AGENT

CONNSCOPE_OUTAGE_SECONDS: how long they are down, and half as long they are disturbed (default: 1). Exit code 77: a server is not
installed, which is a failure where the tests are required (CONNSCOPE_BPF_TESTS)."""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from exporter_lab import Agent, eventually
from remote_write_receivers import Prometheus, VictoriaMetrics, require_servers

OUTAGE_SECONDS = float(os.environ.get("CONNSCOPE_OUTAGE_SECONDS", "1"))
LONGEST_PAUSE_SECONDS = 30  # between two tries
# A series that is in every snapshot.
ALWAYS = "connscope_busy_seconds_total"


class Applications:
    """Sends lines for as long as it is told, and knows how many it has sent."""

    def __init__(self, agent: Agent):
        self.agent, self.sent = agent, 0

    def go_on(self, seconds: float):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.agent.send("app.requests:1|c")
            self.sent += 1
            time.sleep(0.05)


def disturb(receivers: list, applications: Applications, seconds: float):
    """Ends one of them at a time, for a random while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        receiver = random.choice(receivers)
        receiver.end()
        applications.go_on(random.uniform(0, 1))
        receiver.start()
        applications.go_on(random.uniform(0, 2))


def samples(receiver, name: str, until: float = None) -> list:
    series = f'{name}{{job="connscope",instance="web1"}}'
    return receiver.samples(series, until or time.time() + 1, int(2 * OUTAGE_SECONDS) + 120)


def run(agent: Agent, receivers: dict) -> int:
    """How many lines were sent."""
    applications = Applications(agent)
    for name, receiver in receivers.items():
        eventually(lambda: agent.value("reports", name) > 0, f"{name} takes snapshots")
        receiver.end()
    before = {name: agent.value("failures", name) for name in receivers}
    applications.go_on(OUTAGE_SECONDS)
    for name in receivers:
        eventually(lambda: agent.value("failures", name) > before[name], f"{name}: nobody is there")
    for receiver in receivers.values():
        receiver.start()
    disturb(list(receivers.values()), applications, OUTAGE_SECONDS / 2)
    for name, receiver in receivers.items():
        eventually(lambda: samples(receiver, ALWAYS) is not None, f"{name} answers again")
    agent.process.send_signal(signal.SIGHUP)  # what waits is handed over, and tried at once
    return applications.sent


def check_none_lost(agent: Agent, exporter: str, receiver):
    """What the agent takes for arrived has arrived, and that is all there was: a snapshot a second, none refused as out of order."""
    eventually(lambda: agent.gauge("queue_length", exporter) == 0, f"{exporter} is through", LONGEST_PAUSE_SECONDS + 10)
    assert agent.value("dropped_reports", exporter) == agent.value("refused_values", exporter) == 0, exporter
    arrived, now = agent.value("reports", exporter), time.time()
    # VictoriaMetrics takes some seconds until it shows what it has; later samples do not count.
    found = eventually(lambda: (got := samples(receiver, ALWAYS, now)) and len(got) >= arrived and got, f"{arrived} samples in {exporter}")
    seconds = found[-1][0] - found[0][0]
    assert arrived >= 0.9 * seconds and seconds >= OUTAGE_SECONDS, (exporter, arrived, seconds)
    gaps = [later - earlier for (earlier, _), (later, _) in zip(found, found[1:])]
    print(f"{exporter}: {arrived:.0f} snapshots in {seconds:.0f} s, {len(found)} samples there, longest gap {max(gaps):.2f} s, "
          f"{agent.value('failures', exporter):.0f} failures")


def check_totals(receiver, sent: int):
    """At the end they are what they should be, and never did they fall."""
    found = lambda: [value for _, value in samples(receiver, "app_requests_total")]
    eventually(lambda: found()[-1:] == [sent], f"{type(receiver).__name__} has the last total")
    assert found() == sorted(found()), type(receiver).__name__


def main(program: str) -> int:
    require_servers()
    with tempfile.TemporaryDirectory(prefix="connscope-outage-") as name:
        folder = Path(name)
        prometheus, victoria = Prometheus(folder), VictoriaMetrics(folder)
        receivers = {"remote_write": prometheus, "victoria": victoria}
        processes = list(receivers.values())
        try:
            victoria.start()
            prometheus.start_and_wait(time.time())
            common = f'interval = "1s"\ntimeout = "2s"\nqueue = "{folder}/queue"\ninstance = "web1"\n'
            agent = Agent(program, folder, f"[exporter.remote_write]\n{prometheus.config()}{common}"
                                           f'[exporter.victoria]\ntype = "remote_write"\n{victoria.config()}{common}')
            processes.append(agent)
            sent = run(agent, receivers)
            for exporter, receiver in receivers.items():
                check_none_lost(agent, exporter, receiver)
            assert agent.end() == 0
            for receiver in receivers.values():
                check_totals(receiver, sent)
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}", file=sys.stderr)
            raise
        finally:
            for process in processes:
                process.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
