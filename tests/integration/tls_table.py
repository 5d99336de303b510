#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows in tables which reason each TLS stack's failures were given, by what tls_matrix_integration_test has seen.

Each line of what it has seen holds, separated by tabs: case, stack, version, the client's reason, the server's, and why
nothing better can be told ("-" where it can)."""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "<!-- tls: written by tests/integration/tls_table.py --update -->"
END = "<!-- tls: end -->"
NOTHING_SEEN = 77
CASES = {
    "ok": "a good certificate",
    "expired": "certificate expired",
    "notyetvalid": "certificate not yet valid",
    "selfsigned": "self-signed certificate",
    "unknownca": "unknown authority",
    "otherchain": "unknown authority, which is shown",
    "wronghost": "certificate of another host",
    "revoked": "certificate revoked",
    "version": "no common version",
    "cipher": "no common cipher",
    "client_cert": "client has no certificate",
    "not_tls": "server speaks plain text",
}
STAGES = {"before": "before its hello", "hello": "after its hello", "flight": "after its flight"}
PLAYS = {"silent": "server silent", "fin": "server closes", "reset": "server resets"}


@dataclass
class Matrix:
    stacks: list = field(default_factory=list)
    words: dict = field(default_factory=dict)  # (case, stack): {version: (client, server)}
    notes: dict = field(default_factory=dict)  # why: ([case...], [stack...])


def read(text):
    matrix = Matrix()
    for line in text.splitlines():
        case, stack, version, client, server, why = line.split("\t")
        if stack not in matrix.stacks:
            matrix.stacks.append(stack)
        matrix.words.setdefault((case, stack), {})[version] = (client, server)
        if why != "-":
            cases, stacks = matrix.notes.setdefault(why, ([], []))
            cases += [case] if case not in cases else []
            stacks += [stack] if stack not in stacks else []
    return matrix


def cases_of(matrix):
    return list(dict.fromkeys(case for case, _ in matrix.words))


def case_text(case):
    if case in CASES:
        return CASES[case]
    play, stage = case.split("_")
    return f"{PLAYS[play]} {STAGES[stage]}"


def word_text(word):
    return f"ok, then {word[3:]}" if word.startswith("ok+") else word


def cell(matrix, case, stack, side):
    """Of TLS 1.2 and 1.3, or of both where they are alike."""
    texts = [word_text(words[side]) for _, words in sorted(matrix.words[case, stack].items())]
    return texts[0] if len(set(texts)) == 1 else " / ".join(texts)


def cells(matrix, case, side):
    return [cell(matrix, case, stack, side) for stack in matrix.stacks]


def common_cell(matrix, case, side):
    """What all stacks have in common, or nothing."""
    texts = set(cells(matrix, case, side))
    return texts.pop() if len(texts) == 1 else ""


def table(header, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


def common_table(matrix):
    rows = [[case_text(case)] + [common_cell(matrix, case, side) or "by stack" for side in (0, 1)]
            for case in cases_of(matrix)]
    return table(["every stack", "client", "server"], rows)


def stack_table(matrix, title, side):
    """The cases in which stacks differ."""
    header = [title] + [stack.replace("_", " + ") for stack in matrix.stacks]
    rows = [[case_text(case), *cells(matrix, case, side)] for case in cases_of(matrix)
            if not common_cell(matrix, case, side)]
    return table(header, rows)


def notes(matrix):
    lines = []
    for why, (cases, stacks) in matrix.notes.items():
        who = "every stack" if len(stacks) == len(matrix.stacks) else ", ".join(stacks)
        lines.append(f"- {who} ({'; '.join(case_text(case) for case in cases)}): {why}.")
    return lines


def render(matrix):
    return "\n".join([common_table(matrix), "", stack_table(matrix, "the client's reason", 0), "",
                      stack_table(matrix, "the server's reason", 1), "", *notes(matrix)])


def replace_between_markers(text, inner):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"the lines '{BEGIN}' and '{END}' must be there once each, in this order")
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n" + inner + "\n" + END + rest.split(END)[1]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--update", type=Path, metavar="FILE", help="write the tables between the markers of this file")
    what.add_argument("--check", type=Path, metavar="FILE", help="fail when this file shows other tables")
    parser.add_argument("seen", type=Path, help="what the test has written")
    options = parser.parse_args(arguments)
    if not options.seen.exists():
        print(f"{options.seen} is not there: tls_matrix_integration_test writes it", file=sys.stderr)
        return NOTHING_SEEN
    tables = render(read(options.seen.read_text(encoding="utf-8")))
    shown = options.update or options.check
    if not shown:
        print(tables)
        return 0
    text = shown.read_text(encoding="utf-8")
    wanted = replace_between_markers(text, tables)
    if options.update:
        shown.write_text(wanted, encoding="utf-8")
    elif wanted != text:
        print(f"{shown}: its tables of TLS are not what was seen; tests/integration/tls_table.py --update {shown} "
              f"{options.seen} writes them anew", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
