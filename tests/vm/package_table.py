#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says in a table what became of the package on each Debian and kernel, by what package.sh brought back from its guests.

RESULTS has a folder SUITE/KERNEL for each guest, with: release (uname -r), probes.txt (the connscope_probe_up samples of a scrape),
without_drop_in (0 or 1: whether look-ups are heard without CAP_SYS_ADMIN), passed (there when all went well).
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import kernel_table

BEGIN = "<!-- packages: written by tests/vm/package_matrix.sh --update-readme -->"
END = "<!-- packages: end -->"
DEBIANS = {"bookworm": "Debian 12", "trixie": "Debian 13"}


@dataclass
class Guest:
    release: str
    passed: bool
    needs_drop_in: bool
    off: list  # names of probes

    @property
    def series(self):
        return ".".join(self.release.split(".")[:2])

    def cell(self):
        if not self.passed:
            return "**fails**"
        notes = ["look-ups and TLS libraries by the drop-in"] if self.needs_drop_in else []
        notes += [f"{name} is off" for name in self.off]
        return "passes" + (f" ({'; '.join(notes)})" if notes else "")


def read_guest(folder):
    probes, _ = kernel_table.parse_probes((folder / "probes.txt").read_text() if (folder / "probes.txt").exists() else "")
    return Guest((folder / "release").read_text().strip(), (folder / "passed").exists(),
                 (folder / "without_drop_in").read_text().strip() == "0", sorted(n for n, up in probes.items() if not up))


def read_guests(results):
    """By suite and kernel series."""
    guests = {}
    for release in sorted(results.glob("*/*/release")):
        guest = read_guest(release.parent)
        guests[release.parent.parent.name, guest.series] = guest
    return guests


def render(guests):
    suites = sorted({suite for suite, _ in guests}, key=list(DEBIANS).index)
    kernels = sorted({series for _, series in guests}, key=lambda series: [int(part) for part in series.split(".")])
    rows = [["Linux", *(DEBIANS[suite] for suite in suites)], ["---"] * (len(suites) + 1)]
    for series in kernels:
        rows.append([series] + [guests[suite, series].cell() if (suite, series) in guests else "not run" for suite in suites])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", type=Path, metavar="FILE", help="write the table between the markers of this file")
    parser.add_argument("results", type=Path)
    options = parser.parse_args(arguments)
    table = render(read_guests(options.results))
    print(table)
    if options.update:
        text = options.update.read_text(encoding="utf-8")
        options.update.write_text(kernel_table.replace_between_markers(text, table, BEGIN, END), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
