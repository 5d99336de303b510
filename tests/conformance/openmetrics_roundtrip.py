#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""openmetrics_roundtrip.py WRITER: the reference parser reads every label value and number of the hostile snapshot
exactly as they were put in. What it must read is written down here once more, apart from the encoder."""

import math
import subprocess
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

INF = math.inf
NAN = math.nan
CREATED = 1700000000.012
BAD = "\N{REPLACEMENT CHARACTER}"

TEXTS = [
    'say "hi"', "line\nfeed", "C:\\new\\dir", 'a"b\\c\n', "ends in \\", '"', 'a="b",c="d"}', "# EOF", 'x # {y="1"} 1',
    " spaces  around ", "tab\tcr\rbell\a", "Grüße 漢字 🦉", "line\u2028separator",
]
BROKEN = ["a" + 2 * BAD, "b" + 2 * BAD, "c" + 3 * BAD, "d" + 2 * BAD, "e" + 4 * BAD]


def counter(name, labels, total):
    return [(name + "_total", labels, total), (name + "_created", labels, CREATED)]


def buckets(name, labels, bounds, counts):
    """`counts` has one entry for each bound and for +Inf, not cumulative."""
    rows, below = [], 0
    for bound, count in zip(bounds + ["+Inf"], counts):
        below += count
        rows.append((name + "_bucket", {**labels, "le": bound}, below))
    return rows


def latency(labels, values):
    rows = []
    for i in range(-20, 8):
        below = sum(1 for value in values if value <= 2.0**i)
        rows.append(("hostile_latency_seconds_bucket", {**labels, "le": 2.0**i}, below))
    rows.append(("hostile_latency_seconds_bucket", {**labels, "le": "+Inf"}, len(values)))
    rows.append(("hostile_latency_seconds_count", labels, len(values)))
    rows.append(("hostile_latency_seconds_sum", labels, sum(values)))
    rows.append(("hostile_latency_seconds_created", labels, CREATED))
    return rows


def expected():
    rows = [("target_info", {"service_name": 'conn"scope"'}, 1)]

    rows += [("hostile_build_info", {"text": "own", "_1_bad_name": 'a"b\\c\n', "_reserved": f"x{BAD}y"}, 1)]

    # The parser reads what looks like an integer as one, and then "-0" has no sign.
    level = {
        "nan": NAN, "inf": INF, "minus inf": -INF, "two to the 53": 2**53, "odd": 2**53 + 1, "odd double": 2.0**53,
        "third": 1 / 3, "greatest": sys.float_info.max, "least": 5e-324, "negative": -1.5, "minus zero": 0,
        "million": 1e6,
    }
    rows += [("hostile_level", {"case": case}, value) for case, value in level.items()]

    for i, text in enumerate(TEXTS):
        rows += counter("hostile_requests", {"text": text}, i + 1)
    for text in BROKEN:
        rows += counter("hostile_requests", {"text": text}, 1)

    sent = {"two to the 53": 2**53, "two to the 53 and one": 2**53 + 1, "greatest": 2**64 - 1, "fraction": 0.1,
            "infinite": INF}
    for case, total in sent.items():
        rows += counter("hostile_sent_bytes", {"case": case}, total)
    rows += counter("hostile_sent_bytes", {}, 0)

    rows += [("hostile_mode", {"text": "x\\y", "hostile_mode": state}, value)
             for state, value in [("on", 1), ('off\n"', 0), (f"br{BAD}ken", 1)]]
    rows += [("hostile_reading", {}, -2.5)]

    rows += latency({"text": 'a"b\\c\n'}, [0.0, 1e-7, 0.001, 0.25, 0.25, 1.0, 127.0, 128.0, 129.0])
    rows += latency({"text": "never"}, [])

    powers = ["1e-05", "0.0001", "0.001", "1.0", "100000.0", "1e+06"]
    many = 2**53 + 1
    name = "hostile_size_bytes"
    rows += buckets(name, {"case": "exact"}, powers, [0, 0, many, 0, 0, 0, 0])
    rows += [(name + "_count", {"case": "exact"}, many), (name + "_sum", {"case": "exact"}, 9007199254740.5)]
    rows += buckets(name, {"case": "nan"}, powers, [0, 0, 0, 0, 0, 0, 1])  # a NaN sum is left out, with its count
    rows += buckets(name, {"case": "inf"}, powers, [0, 0, 0, 0, 0, 0, 1])
    rows += [(name + "_count", {"case": "inf"}, 1), (name + "_sum", {"case": "inf"}, INF)]
    rows += [(name + "_created", {"case": case}, CREATED) for case in ("exact", "nan", "inf")]

    around_zero = ["-1.5", "0.0", "1.5"]
    rows += buckets("hostile_offset_seconds", {}, around_zero, [1, 0, 0, 0])
    rows += [("hostile_offset_seconds_created", {}, CREATED)]
    rows += buckets("hostile_skew_seconds", {}, around_zero, [1, 0, 0, 0])
    rows += [("hostile_skew_seconds_gcount", {}, 1), ("hostile_skew_seconds_gsum", {}, -7)]
    rows += buckets("hostile_left_seconds", {"text": "}"}, ["1.0", "7.0", "365.0"], [1, 1, 1, 1])
    rows += [("hostile_left_seconds_gcount", {"text": "}"}, 4), ("hostile_left_seconds_gsum", {"text": "}"}, 415.5)]

    name = "hostile_wait_seconds"
    rows += [(name, {"text": "a,b", "quantile": q}, v)
             for q, v in [("0.0", 0.5), ("0.5", 1), ("0.999", 2.25), ("1.0", NAN)]]
    rows += [(name + "_count", {"text": "a,b"}, 3), (name + "_sum", {"text": "a,b"}, 3.75)]
    rows += [(name + "_count", {"text": "nan"}, 1)]
    rows += [(name + "_created", {"text": text}, CREATED) for text in ("a,b", "nan")]
    return rows


def expected_exemplars():
    """By name and `le`: labels, value, time."""
    return {("hostile_requests_total", None): ({"peer": 'a"b\\c\n', "host": "a" + 2 * BAD}, 1, CREATED),
            ("hostile_latency_seconds_bucket", 0.25): ({"peer": "[2001:db8::1]:443"}, 0.25, CREATED),
            ("hostile_latency_seconds_bucket", INF): ({}, 129, CREATED)}


def exemplars_of(samples):
    return {(sample.name, float(sample.labels["le"]) if "le" in sample.labels else None):
            (sample.exemplar.labels, sample.exemplar.value, float(sample.exemplar.timestamp))
            for sample in samples if sample.exemplar}


def key(name, labels):
    """`le` of the latency layout is compared as a number: its text has up to 17 digits."""
    by_number = name.startswith("hostile_latency")
    return name, frozenset((k, float(v)) if by_number and k == "le" else (k, v) for k, v in labels.items())


def same(want, got):
    if isinstance(want, float) and math.isnan(want):
        return math.isnan(got)
    return want == got


def main():
    raw = subprocess.run([sys.argv[1], "openmetrics"], check=True, stdout=subprocess.PIPE).stdout
    families = list(text_string_to_metric_families(raw.decode("utf-8", errors="strict")))
    got = {}
    problems = []
    samples = [sample for family in families for sample in family.samples]
    for sample in samples:
        if key(sample.name, sample.labels) in got:
            problems.append(f"twice: {sample}")
        got[key(sample.name, sample.labels)] = sample.value
    for name, labels, value in expected():
        found = got.pop(key(name, labels), None)
        if found is None:
            problems.append(f"missing: {name}{labels}")
        elif not same(value, found):
            problems.append(f"{name}{labels}: {value!r} was put in, {found!r} was read")
    problems += [f"unexpected: {left}" for left in got]

    if exemplars_of(samples) != expected_exemplars():
        problems.append(f"exemplars: {exemplars_of(samples)}")

    types = {family.name: (family.type, family.unit, family.documentation) for family in families}
    if families[0].name != "target":
        problems.append("target_info is not first")
    if types["hostile_requests"] != ("counter", "", 'Every "hostile" text\nas a label, \\ too.'):
        problems.append(f"metadata of hostile_requests: {types['hostile_requests']}")
    if {kind for kind, _, _ in types.values()} != {"counter", "gauge", "histogram", "gaugehistogram", "info",
                                                   "stateset", "summary", "unknown"}:
        problems.append("not all eight types are there")
    print("\n".join(problems) or f"{len(expected())} samples as they were put in")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
