#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an include that the layering forbids (agent/ARCHITECTURE.md: who may include whom).

Usage: scripts/check_includes.py [ROOT]

Reads every .c, .cpp and .h under agent/, exporters/ and bpf/. Each file belongs to a box, which is its folder; each
box has a list of what it may include beside itself. System headers (<...>) are not judged, unless they name a file of
the project.
"""

import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

SOURCE_FOLDERS = ("agent", "exporters", "bpf")
SOURCE_SUFFIXES = {".c", ".cpp", ".h"}

# What a box may include beside its own files: a box by its name, or a single header by its path. "bpf/shared" are the
# headers that both sides of a probe read: bpf/include/X.h, and bpf/PROBE/X.h beside its X.bpf.c, but no X.bpf.h.
EVERYTHING = "everything"
MAY_INCLUDE = {
    "agent/base": [],
    "agent/config": ["agent/base"],
    "agent/client": [],
    "agent/metrics": ["agent/base"],
    "agent/http": ["agent/base"],
    "agent/identity": ["agent/metrics", "agent/config", "agent/base", "bpf/shared"],
    "agent/detail": ["agent/base"],
    "agent/probe": ["agent/detail", "agent/identity", "agent/metrics", "agent/config", "agent/base", "bpf/shared"],
    "agent/policy": ["agent/metrics", "agent/config", "agent/base"],
    "agent/host": ["agent/metrics", "agent/identity", "agent/config", "agent/base"],
    "agent/ingest": ["agent/metrics", "agent/identity", "agent/config", "agent/base"],
    "agent/control": ["agent/config", "agent/base"],
    "agent/service": ["agent/base"],
    "agent/terminal": ["agent/control", "agent/detail", "agent/metrics", "agent/config", "agent/base"],
    "agent/runtime": [
        "agent/base", "agent/config", "agent/metrics", "agent/http", "agent/identity", "agent/probe", "agent/policy",
        "agent/host", "agent/ingest", "agent/control", "agent/service", "agent/terminal", "agent/detail",
        "exporters/encoder.h", "exporters/catalog.h", "exporters/metrics_source.h", "exporters/push_loop.h",
        "exporters/report_exporter.h",
    ],
    "agent/main.cpp": [EVERYTHING],
    "exporters": ["agent/metrics", "agent/config", "agent/base"],
    "bpf": ["agent/probe", "agent/detail", "agent/identity", "agent/metrics", "agent/config", "agent/base", "bpf/shared"],
    "bpf/shared": [],
    "bpf/kernel": ["bpf/shared"],
}

# Headers of both sides whose folder has no object of their name: pure functions.
BOTH_SIDES = {
    "bpf/dns/dns_message.h",
    "bpf/process/command_line.h",
    "bpf/process/program.h",
    "bpf/tls/tls.h",
    "bpf/tls/tls_alerts.h",
    "bpf/tls/tls_record.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<quoted>[^"]+)"|<(?P<system>[^>]+)>)')


class Violation(NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def box_of(path: str, root: Path) -> Optional[str]:
    """The box of a file, by its path from the root; None where the layout knows no such place."""
    parts = path.split("/")
    if parts[0] == "exporters":
        return "exporters"
    if parts[0] == "bpf":
        return bpf_box_of(parts, root)
    if path == "agent/main.cpp":
        return path
    box = "/".join(parts[:2])
    return box if len(parts) > 2 and box in MAY_INCLUDE else None


def bpf_box_of(parts: list, root: Path) -> str:
    """In bpf/ a file's name says which side of a probe it is, and a header's neighbours do."""
    name = parts[-1]
    if name.endswith((".bpf.c", ".bpf.h")):
        return "bpf/kernel"
    # A header of both sides has the name of its object, or is one of a few; others are of the user half, like bpf/catalog.h.
    path = "/".join(parts)
    if name.endswith(".h") and (
        parts[1] == "include" or path in BOTH_SIDES or (root / path).with_suffix(".bpf.c").is_file()
    ):
        return "bpf/shared"
    return "bpf"


def allowed_text(box: str) -> str:
    names = [box, *MAY_INCLUDE[box]]
    return ", ".join(names)


def judge(path: str, header: str, root: Path) -> Optional[str]:
    """What is wrong with the quoted include of `header` in `path`; None when nothing is."""
    if header.endswith(".skel.h"):
        return judge_skeleton(path, header)
    # Headers that are installed name each other as they lie there.
    if path.startswith("agent/client/") and (root / "agent/client" / header).is_file():
        return None
    if not (root / header).is_file():
        return f'no file "{header}" in the source tree: quoted includes are relative to its root'
    box, target = box_of(path, root), box_of(header, root)
    if box is None:
        return f"{path} is in no box that scripts/check_includes.py knows: add its folder to MAY_INCLUDE"
    allowed = MAY_INCLUDE[box]
    if target == box or target in allowed or header in allowed or EVERYTHING in allowed:
        return None
    return f'{box} may not include "{header}" (box: {target}); it may include {allowed_text(box)}'


def judge_skeleton(path: str, header: str) -> Optional[str]:
    owner = re.sub(r"\.cpp$", "", path.rsplit("/", 1)[-1])
    if path.startswith("bpf/") and path.endswith(".cpp") and header.rsplit("/", 1)[-1] == f"{owner}.skel.h":
        return None
    wanted = header.rsplit("/", 1)[-1].replace(".skel.h", ".cpp")
    return f'a skeleton is included only by the .cpp of its name: "{header}" only by bpf/*/{wanted}'


def includes(text: str) -> Iterator[tuple]:
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield number, match["quoted"], match["system"]


def check_file(path: str, root: Path) -> Iterator[Violation]:
    for number, quoted, system in includes((root / path).read_text(encoding="utf-8")):
        if system is not None:
            if system.split("/")[0] in SOURCE_FOLDERS and (root / system).is_file():
                yield Violation(path, number, f"<{system}> is a file of the project: include it with quotes")
            continue
        message = judge(path, quoted, root)
        if message is not None:
            yield Violation(path, number, message)


def source_files(root: Path) -> list:
    files = (file for folder in SOURCE_FOLDERS for file in (root / folder).rglob("*"))
    return sorted(file.relative_to(root).as_posix() for file in files if file.suffix in SOURCE_SUFFIXES)


def check_tree(root: Path) -> list:
    return [violation for path in source_files(root) for violation in check_file(path, root)]


def main(arguments: list) -> int:
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    files = source_files(root)
    if not files:
        print(f"check_includes: no sources under {root}", file=sys.stderr)
        return 2
    violations = check_tree(root)
    for violation in violations:
        print(violation, file=sys.stderr)
    print(f"check_includes: {len(files)} files, {len(violations)} forbidden includes", file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
