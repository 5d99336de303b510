#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the README's table of families what the agent declares.

Usage: readme_metrics.py [--check | --update] DESCRIBE   (DESCRIBE is the program connscope_describe)
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from declarations import Family, families  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- metrics: written by packaging/readme_metrics.py --update -->\n"
END = "<!-- metrics: end -->\n"


def row(family: Family) -> str:
    labels = ", ".join(name + ("?" if name in family.optional_labels else "") for name in family.labels)
    mark = " *" if family.optional else ""
    return f"| `{family.exposed_name()}`{mark} | {family.type} | {labels} | {family.help} |\n"


def table(all_families: list[Family]) -> str:
    """Those of the agent's process are every exporter's, and need no table."""
    rows = [row(family) for family in all_families if not family.name.startswith("process_")]
    return "| family | type | labels | meaning |\n|---|---|---|---|\n" + "".join(rows)


def replaced(readme: str, new_table: str) -> str:
    before, rest = readme.split(BEGIN)
    return before + BEGIN + new_table + END + rest.split(END)[1]


def main() -> int:
    action, program = sys.argv[1], sys.argv[2]
    readme = ROOT / "README.md"
    wanted = replaced(readme.read_text(), table(families(program, ROOT / "packaging" / "connscope.toml")))
    if action == "--update":
        readme.write_text(wanted)
    elif wanted != readme.read_text():
        print(f"README.md: the table of families is not what the agent declares; run {sys.argv[0]} --update {program}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
