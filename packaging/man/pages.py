#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes connscope.toml(5), of the packaged config, and connscope-metrics(7), of what the agent declares.

Usage: pages.py DESCRIBE CONFIG FOLDER   (DESCRIBE is the program connscope_describe)
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from declarations import Family, families  # noqa: E402

SETTING = re.compile(r"#?(?P<key>[a-z_]+) = (?P<value>.*)")
HEADER = re.compile(r"#?(?P<header>\[.*\])")

TOML_INTRODUCTION = """\
.SH NAME
connscope.toml \\- config of connscope
.SH SYNOPSIS
.I /etc/connscope/connscope.toml
.SH DESCRIPTION
A file in TOML.
Each key is given here with its default, or with an example where it has none; the packaged file has the same in comments.
Durations are whole numbers with a unit, in quotes: ms, s, m, h or d.
.P
.B connscope check\\-config
.I FILE
says what is wrong with a file, with its line and what is allowed.
SIGHUP
.RB ( "systemctl reload connscope" )
has the agent read the file anew, whole or not at all.
Keys of [probe.*], [ingest] and [control] hold until a restart.
"""

METRICS_INTRODUCTION = """\
.SH NAME
connscope\\-metrics \\- metric families of connscope
.SH DESCRIPTION
What
.BR connscope (1)
exposes of connections and of itself.
Names are those of Prometheus text; in OpenMetrics the name of a counter's family lacks _total.
Labels in brackets, and families said to be optional, are there when
.BR connscope.toml (5)
asks for them.
The host's own families (node_*) are those of node_exporter, and are not listed.
"""


def roff(text: str) -> str:
    """As roff shows it literally."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq")
    return "\\&" + escaped if escaped.startswith(".") else escaped


def paragraph(words: list[str]) -> str:
    return roff(" ".join(words)) + "\n"


def config_page(config: str) -> str:
    """The comments above a table or a key say what it is; those at the top are about the file."""
    page, comment, past_top = [".TH CONNSCOPE.TOML 5\n", TOML_INTRODUCTION, ".SH TOP OF THE FILE\n"], [], False
    for line in config.splitlines():
        header, setting = HEADER.fullmatch(line), SETTING.fullmatch(line)
        if header and past_top:
            page += [f".SH {roff(header['header'])}\n", paragraph(comment)]
        elif setting and past_top:
            page += [".TP\n", f".BR {roff(setting['key'])} \\~=\\~{roff(setting['value']).replace(' ', chr(92) + '~')}\n",
                     paragraph(comment)]
        if line.startswith("# "):
            comment.append(line[2:])
        else:
            past_top, comment = True, []
    return "".join(page)


def metrics_page(all_families: list[Family]) -> str:
    page = [".TH CONNSCOPE\\-METRICS 7\n", METRICS_INTRODUCTION]
    for title, prefix in (("CONNECTIONS", "conn_"), ("THE AGENT", "connscope_"), ("ITS PROCESS", "process_")):
        page.append(f".SH {title}\n")
        for family in all_families:
            if family.name.startswith(prefix):
                page.append(metrics_entry(family))
    page.append(".SH SEE ALSO\n.BR connscope (1),\n.BR connscope.toml (5)\n")
    return "".join(page)


def metrics_entry(family: Family) -> str:
    labels = [f"[{name}]" if name in family.optional_labels else name for name in family.labels]
    said = [family.help, f"Type: {family.type}.", f"Labels: {', '.join(labels)}." if labels else "",
            f"Id: {family.id}.", "Optional." if family.optional else ""]
    return f".TP\n.B {roff(family.exposed_name())}\n" + paragraph([part for part in said if part])


def main() -> None:
    program, config_file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    (folder / "connscope.toml.5").write_text(config_page(config_file.read_text()))
    (folder / "connscope-metrics.7").write_text(metrics_page(families(program, config_file)))


if __name__ == "__main__":
    main()
