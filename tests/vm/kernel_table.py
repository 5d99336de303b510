#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says in a table what each kernel has and lacks, by what run.sh brought back from its guests.

Each folder of results holds: release (uname -r), probes.txt (the connscope_probe_* samples of a scrape), left_out.tsv
(filter, number and reason of the tests that were left out), NAME.json (GoogleTest's result of each test program).
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "<!-- kernels: written by tests/vm/run.sh --update-readme -->"
END = "<!-- kernels: end -->"
SHOWN_FAILURES = 5


@dataclass
class Hook:
    probe: str
    name: str
    reason: str
    variant: str


@dataclass
class Tests:
    passed: int = 0
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)


@dataclass
class Kernel:
    release: str
    probes: dict  # name: up
    hooks: list
    tests: Tests
    left_out: list  # (filter, number, reason)

    @property
    def series(self):
        return re.match(r"\d+\.\d+", self.release)[0]


def parse_labels(text):
    labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text)
    return {name: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value) for name, value in labels}


def parse_probes(text):
    """The state of each probe, and the hooks of them all."""
    probes, hooks = {}, []
    for family, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)", text, re.MULTILINE):
        found = parse_labels(labels)
        if family == "connscope_probe_up":
            probes[found["probe"]] = float(value) == 1
        elif family == "connscope_probe_info" and found.get("hook"):
            hooks.append(Hook(found["probe"], found["hook"], found.get("reason", ""), found.get("variant", "")))
    return probes, hooks


def parse_tests(texts):
    tests = Tests()
    for text in texts:
        for suite in json.loads(text).get("testsuites", []):
            for test in suite["testsuite"]:
                name = f"{suite['name']}.{test['name']}"
                if test.get("failures"):
                    tests.failed.append(name)
                elif test.get("result") == "SKIPPED":
                    tests.skipped.append(name)
                elif test.get("result") == "COMPLETED":
                    tests.passed += 1
    return tests


def read_kernel(folder):
    def text_of(name):
        path = folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    probes, hooks = parse_probes(text_of("probes.txt"))
    left_out = [tuple(line.split("\t")) for line in text_of("left_out.tsv").splitlines()]
    results = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))]
    return Kernel(text_of("release").strip(), probes, hooks, parse_tests(results), left_out)


def tests_cell(kernel):
    parts = [f"{kernel.tests.passed} passed"]
    if kernel.tests.failed:
        parts.append(f"**{len(kernel.tests.failed)} failed**")
    if kernel.tests.skipped:
        parts.append(f"{len(kernel.tests.skipped)} skipped")
    left_out = sum(int(number) for _, number, _ in kernel.left_out)
    if left_out:
        parts.append(f"{left_out} left out")
    return ", ".join(parts)


def probes_cell(kernel):
    return ", ".join(name if up else f"{name} (**off**)" for name, up in sorted(kernel.probes.items())) or "unknown"


def row(kernel):
    attached = [hook for hook in kernel.hooks if not hook.reason]
    variants = sorted({hook.variant for hook in attached if hook.variant})
    hooks = f"{len(attached)} of {len(kernel.hooks)}"
    return [kernel.series, f"`{kernel.release}`", probes_cell(kernel), hooks, ", ".join(variants) or "–",
            tests_cell(kernel)]


def lacks(kernel):
    """What the kernel lacks, and what was not tested on it, each as one text."""
    lines = [f"`{hook.name}` is not attached: {hook.reason}" for hook in kernel.hooks if hook.reason]
    lines += [f"{number} tests (`{filter}`) are left out: {reason}" for filter, number, reason in kernel.left_out]
    lines += [f"`{name}` was skipped" for name in kernel.tests.skipped]
    lines += [f"`{name}` fails" for name in kernel.tests.failed[:SHOWN_FAILURES]]
    if len(kernel.tests.failed) > SHOWN_FAILURES:
        lines.append(f"{len(kernel.tests.failed) - SHOWN_FAILURES} more fail")
    return lines


def render(kernels):
    header = ["Linux", "release", "probes", "hooks attached", "variant", "integration tests"]
    rows = [header, ["---"] * len(header)] + [row(kernel) for kernel in kernels]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    details = [f"- {kernel.series}: {line}." for kernel in kernels for line in lacks(kernel)]
    return "\n".join(lines + ([""] + details if details else []))


def replace_between_markers(text, table, begin=BEGIN, end=END):
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the lines '{begin}' and '{end}' must be there once each, in this order")
    before, rest = text.split(begin)
    return before + begin + "\n" + table + "\n" + end + rest.split(end)[1]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", type=Path, metavar="FILE", help="write the table between the markers of this file")
    parser.add_argument("results", type=Path, nargs="+", help="a folder for each kernel, in the table's order")
    options = parser.parse_args(arguments)
    silent = [str(folder) for folder in options.results if not (folder / "release").exists()]
    kernels = [read_kernel(folder) for folder in options.results if str(folder) not in silent]
    table = render(kernels)
    print(table)
    if silent:
        print(f"kernel_table.py: nothing came back into {', '.join(silent)}", file=sys.stderr)
        return 1
    if options.update:
        text = options.update.read_text(encoding="utf-8")
        options.update.write_text(replace_between_markers(text, table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
