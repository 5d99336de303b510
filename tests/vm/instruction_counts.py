#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the verifier's instruction counts against those on record, or records them.

The record is a line for each kernel series, object and program: "SERIES OBJECT PROGRAM INSTRUCTIONS", tab-separated,
below a line that names the clang which compiled them. Instead of the number it has the word of verified_instructions
for a program that the kernel does not take. Another patch level of the kernel gives somewhat other counts, so those
within TOLERANCE or SLACK of the record pass. Exit status: 0, 1 when they differ, 77 when nothing can be compared.
"""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

TOLERANCE = 0.10
SLACK = 20  # instructions: a tenth of a short program is nothing
NOTHING_TO_COMPARE = 77
RECORD = Path(__file__).resolve().parent / "verified_instructions.tsv"
HEADER = """\
# What the verifier walks through for each BPF program, by kernel: tests/vm/run.sh --record writes this file, and
# tests/vm/instruction_counts.py, which compares with it, says what may differ.
"""


@dataclass
class Record:
    clang: str = ""
    counts: dict = field(default_factory=dict)  # by series: by (object, program): the number or word, as text

    @staticmethod
    def parse(text):
        record = Record()
        for line in text.splitlines():
            if line.startswith("# clang "):
                record.clang = line.removeprefix("# clang ")
            elif line and not line.startswith("#"):
                series, bpf_object, program, count = line.split("\t")
                record.counts.setdefault(series, {})[bpf_object, program] = count
        return record

    def text(self):
        def by_version(series):
            return [int(number) for number in series.split(".")]

        lines = [
            "\t".join((series, *key, count))
            for series in sorted(self.counts, key=by_version)
            for key, count in sorted(self.counts[series].items())
        ]
        return HEADER + f"# clang {self.clang}\n" + "\n".join(lines) + "\n"


def series_of(release):
    return re.match(r"\d+\.\d+", release)[0]


def parse_measured(text):
    """What verified_instructions prints, without the reasons."""
    rows = (line.split("\t") for line in text.splitlines())
    return {(row[0], row[1]): row[2] for row in rows}


def clang_of(objects):
    """The major version of the compiler, which names itself in the debug information; another one's counts are others."""
    for path in objects:
        found = re.search(rb"clang version (\d+)", path.read_bytes())
        if found:
            return found[1].decode()
    return "unknown"


def difference(recorded, measured):
    """Why two entries differ; empty when they may pass for the same, None when there is nothing to compare."""
    if measured == "refused" and recorded is not None:
        return None
    if recorded is None:
        return f"is new, with {measured}"
    if measured is None:
        return "is on record and was not measured"
    if not (recorded.isdigit() and measured.isdigit()):
        return "" if recorded == measured else f"is {measured}, on record as {recorded}"
    change = int(measured) - int(recorded)
    if abs(change) <= max(SLACK, TOLERANCE * int(recorded)):
        return ""
    verb = "grew" if change > 0 else "shrank"
    return f"{verb} from {recorded} to {measured} instructions ({100 * change / max(1, int(recorded)):+.0f} %)"


def compare(recorded, measured):
    """The differences as lines, and the names of the programs that could not be compared."""
    lines, left_out = [], []
    for key in sorted(recorded.keys() | measured.keys()):
        name = " ".join(key)
        found = difference(recorded.get(key), measured.get(key))
        if found is None:
            left_out.append(name)
        elif found:
            lines.append(f"{name} {found}")
    return lines, left_out


def compare_command(record, release, clang, measured):
    series = series_of(release)
    if series not in record.counts:
        print(f"no instruction counts are on record for Linux {series}: tests/vm/run.sh --record can add them")
        return NOTHING_TO_COMPARE
    if clang != record.clang:
        print(f"the instruction counts on record are of clang {record.clang}'s objects, not of clang {clang}'s")
        return NOTHING_TO_COMPARE
    lines, left_out = compare(record.counts[series], measured)
    if left_out:
        print(f"not compared, since this kernel's policy or our privilege forbids them: {', '.join(left_out)}")
    if measured and len(left_out) == len(measured):
        return 1 if os.environ.get("CONNSCOPE_BPF_TESTS") == "required" else NOTHING_TO_COMPARE
    if lines:
        print(f"instruction counts of Linux {release} that are not as on record for {series}:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in lines), file=sys.stderr)
        print("Where that is meant, run tests/vm/run.sh --record and commit verified_instructions.tsv.", file=sys.stderr)
        return 1
    print(f"the instruction counts of {len(measured) - len(left_out)} programs are as on record for Linux {series}")
    return 0


def record_command(record, path, release, clang, measured):
    if record.clang not in ("", clang):
        record.counts.clear()  # of other objects
    record.clang = clang
    record.counts[series_of(release)] = measured
    path.write_text(record.text(), encoding="utf-8")
    print(f"recorded the instruction counts of {len(measured)} programs for Linux {series_of(release)}")
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("compare", "record"))
    parser.add_argument("--objects", type=Path, nargs="+", required=True, help="the compiled BPF objects")
    parser.add_argument("--release", default=os.uname().release, help="the kernel's (default: this one's)")
    parser.add_argument("--record-file", type=Path, default=RECORD)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tool", type=Path, help="verified_instructions, to be run here on these objects")
    source.add_argument("--measured", type=Path, help="what verified_instructions has printed elsewhere")
    options = parser.parse_args(arguments)
    if options.tool:
        text = subprocess.run([options.tool, *options.objects], stdout=subprocess.PIPE, text=True, check=True).stdout
    else:
        text = options.measured.read_text(encoding="utf-8")
    file = options.record_file
    record = Record.parse(file.read_text(encoding="utf-8")) if file.exists() else Record()
    measured = parse_measured(text)
    if options.command == "record":
        return record_command(record, file, options.release, clang_of(options.objects), measured)
    return compare_command(record, options.release, clang_of(options.objects), measured)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
