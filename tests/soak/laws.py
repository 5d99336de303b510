# SPDX-License-Identifier: Apache-2.0
"""What has to hold in every scrape, and what the totals are once a program has told what it did."""

import re
from collections import defaultdict

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
NEVER_FALLS = ("_total", "_count", "_sum", "_bucket")
LIFE = "conn_tcp_connection_duration_seconds_count"
OPEN = "conn_tcp_open_connections"


class Scrape:
    """One answer in the text format."""

    def __init__(self, text):
        self.values = defaultdict(list)  # {(family, process): [(labels, value)]}
        self.counters = {}  # {name with labels: value}
        for line in text.splitlines():
            match = SAMPLE.match(line)
            if not match:
                continue
            family, labels, value = match.group(1), dict(LABEL.findall(match.group(2) or "")), float(match.group(3))
            self.values[family, labels.get("process")].append((labels, value))
            if family.endswith(NEVER_FALLS):
                self.counters[line[:match.start(3) - 1]] = value

    def sum(self, family, process=None, **labels):
        """A series that is not there counts as 0."""
        return sum(value for having, value in self.values.get((family, process), ())
                   if labels.items() <= having.items())

    def sum_of_others(self, family, processes):
        return sum(value for (name, process), samples in self.values.items()
                   if name == family and process not in processes for _, value in samples)

    def has(self, family):
        return any(name == family for name, _ in self.values)


CONNECTS = "connects = succeeded + failed + in flight"
WAITS = "accepts = waits for accept"
WAIT = "conn_tcp_accept_wait_seconds_count"
# Each side of an equation is a list of (family, labels).
EQUATIONS = {
    CONNECTS: (
        [("conn_tcp_connects_total", {})],
        [("conn_tcp_connect_duration_seconds_count", {"outcome": "ok"}),
         ("conn_tcp_connect_duration_seconds_count", {"outcome": "fail"}), ("conn_tcp_connects_in_flight", {})]),
    "succeeded connects = ended + open connections of clients": (
        [("conn_tcp_connect_duration_seconds_count", {"outcome": "ok"})],
        [(LIFE, {"role": "client"}), (OPEN, {"role": "client"})]),
    "handshakes = ended + open connections of servers": (
        [("conn_tcp_handshake_duration_seconds_count", {})], [(LIFE, {"role": "server"}), (OPEN, {"role": "server"})]),
    # No socket of the load is older than the agent: a wait is not known only where the accept was not seen.
    WAITS: (
        [("conn_tcp_accepts_total", {})], [(WAIT, {})]),
}
FALL = "counters never fall or vanish"
LOST = "nothing is lost"
GUESSED = {"end_skipped", "end_missed"}  # causes of loss that are counted all the same, with a guess in them
UNSEEN = "accept_unseen"  # counted too, but for the wait: a tracepoint's program may be skipped while the agent reads maps
GUESSED_LABELS = {"reason", "close", "outcome"}
ENDS_LOST = {"cells_full"}  # connects that ended, and more is not known
COLLECTED = "every collect goes well"


def shown(numbers):
    return " + ".join(f"{number:.0f}" for number in numbers)


def lost_events(scrape):
    """{cause: count}, of all probes."""
    lost = defaultdict(float)
    for labels, value in scrape.values.get(("connscope_lost_events_total", None), ()):
        lost[labels["cause"]] += value
    return lost


def broken_equations(scrape, processes):
    """(law, what is wrong) for each equation that does not hold."""
    lost = lost_events(scrape)
    allowed = {CONNECTS: sum(lost[cause] for cause in ENDS_LOST), WAITS: lost[UNSEEN]}
    for law, sides in EQUATIONS.items():
        for process in processes:
            left, right = ([scrape.sum(family, process, **labels) for family, labels in side] for side in sides)
            beyond = sum(left) - sum(right)
            if 0 < beyond <= allowed.get(law, 0):
                allowed[law] -= beyond
            elif beyond != 0:
                yield law, f"{process}: {shown(left)} != {shown(right)}"


def broken_laws(before, scrape, processes):
    yield from broken_equations(scrape, processes)
    for series, value in before.counters.items() if before else ():
        now = scrape.counters.get(series)
        if now is None or now < value:
            yield FALL, f"{series}: {value} -> {now}"
    for cause, count in lost_events(scrape).items():
        if count != 0 and cause not in GUESSED and cause != UNSEEN:
            yield LOST, f"{cause}: {count:.0f}"
    for labels, value in scrape.values.get(("connscope_collect_success", None), ()):
        if value != 1:
            yield COLLECTED, f"{labels}: {value}"


ALL_LAWS = (*EQUATIONS, FALL, LOST, COLLECTED)


def expected_totals(tally, server):
    """[(family, labels, count)] of a program of the load, by its own tally."""
    role = "server" if server else "client"
    ok = tally["connects"] - tally["refused"] - tally["timed_out"]
    totals = [
        ("conn_tcp_connects_total", {}, tally["connects"]),
        ("conn_tcp_connect_duration_seconds_count", {"outcome": "ok"}, ok),
        ("conn_tcp_connect_duration_seconds_count", {"outcome": "fail"}, tally["refused"] + tally["timed_out"]),
        ("conn_tcp_connects_in_flight", {}, 0),
        ("conn_tcp_accepts_total", {}, tally["accepts"]),
        ("conn_tcp_handshake_duration_seconds_count", {}, tally["accepts"]),
        (WAIT, {}, tally["accepts"]),
        ("conn_tcp_listen_drops_total", {}, 0),
        ("conn_tcp_listen_backlog", {}, 0),
        (OPEN, {}, 0),
        ("conn_tcp_receive_bytes_total", {"role": role}, tally["received"]),
        ("conn_tcp_receive_bytes_total", {}, tally["received"]),
        ("conn_tcp_transmit_bytes_total", {"role": role}, tally["sent"]),
        ("conn_tcp_transmit_bytes_total", {}, tally["sent"]),
        (LIFE, {"role": role}, tally["local_fin"] + tally["remote_fin"] + tally["local_reset"] + tally["remote_reset"]),
        (LIFE, {"role": role, "close": "timeout"}, 0),
        ("conn_failures_total", {"role": "client", "reason": "refused"}, tally["refused"]),
        ("conn_failures_total", {"role": "client", "reason": "timeout"}, tally["timed_out"]),
        ("conn_failures_total", {"role": role, "reason": "reset_established"}, tally["remote_reset"]),
        ("conn_failures_total", {}, tally["refused"] + tally["timed_out"] + tally["remote_reset"]),
        ("conn_tcp_resets_total", {"role": role, "direction": "out"}, tally["local_reset"]),
    ]
    totals += [(LIFE, {"role": role, "close": close}, tally[close])
               for close in ("local_fin", "remote_fin", "local_reset", "remote_reset")]
    if not tally["refused"]:  # a refusal is a RST too
        totals.append(("conn_tcp_resets_total", {"role": role, "direction": "in"}, tally["remote_reset"]))
    return totals


def wrong_totals(scrape, process, tally, server):
    """What differs from the program's tally, a line each, with all that the family has of the process."""
    guessed, unseen = (sum(lost_events(scrape)[cause] for cause in causes) for causes in (GUESSED, (UNSEEN,)))
    wrong = []
    for family, labels, count in expected_totals(tally, server):
        seen = scrape.sum(family, process, **labels)
        # An end that was guessed may stand under another reason or close, but it is in their sums.
        slack = guessed if GUESSED_LABELS & labels.keys() else unseen if family == WAIT else 0
        if abs(seen - count) > slack:
            parts = [f"{' '.join(having.values())}: {value:.0f}"
                     for having, value in scrape.values.get((family, process), ()) if value]
            wrong.append(f"{family}{labels} is {seen:.0f}, not {count} ({', '.join(parts)})")
    return wrong
