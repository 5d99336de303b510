#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the README's table of costs, by what run_all.sh has left in build/bench/.

Usage: tests/bench/readme_costs.py [RESULTS]   (prints it alone with --print)
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN = "<!-- costs: written by tests/bench/readme_costs.py -->"
END = "<!-- costs: end -->"
# What an operation is, by the name of the result.
LOADS = {
    "overhead-same": "connect, accept, close",
    "overhead-echo": "the same with a message there and back",
    "overhead-request": "request and response of 4 KiB on a kept connection",
    "overhead-dns": "DNS query and answer",
    "overhead-handshake": "TLS 1.3 handshake (RSA of 2048 bits)",
}
# Benchmarks whose bars say it all.
FIGURES = ("rest", "scrape", "host-side-by-side")


def result_of(path):
    """The line of JSON that a benchmark ends with; None when it broke off."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("{")] if path.exists() else []
    return json.loads(lines[-1]) if lines else None


def ratio_cell(compared, name):
    found = compared.get(name)
    return f"{found['ratio']:.3f} (A/A {found['aa_ratio']:.3f})" if found else "–"


def row(what, result):
    compared = result["compared"]
    return [what, ratio_cell(compared, "operations_per_second"), ratio_cell(compared, "cpu_us_per_operation"),
            f"{result['bpf_ns_per_operation'] / 1000:.2f} µs", f"{result['agent_us_per_operation']:.3f} µs"]


def render(results):
    rows = [["an operation, both ends on the host", "rate, with / without", "the load's CPU, with / without", "BPF time", "agent's CPU"]]
    rows.append(["---"] * len(rows[0]))
    for name, what in LOADS.items():
        if result := result_of(results / f"{name}.txt"):
            rows.append(row(what, result))
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    figures = [f"- {bar['what']}: {bar['value']:.3g} {bar['unit']}".rstrip() for name in FIGURES
               for bar in (result_of(results / f"{name}.txt") or {"bars": []})["bars"]]
    return "\n".join(lines + ([""] + figures if figures else []))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--print", action="store_true", help="write nothing")
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "build" / "bench")
    options = parser.parse_args(arguments)
    table = render(options.results)
    print(table)
    if not options.print:
        readme = ROOT / "README.md"
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            sys.exit(f"readme_costs.py: README.md lacks '{BEGIN}' or '{END}'")
        readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
