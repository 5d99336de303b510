# SPDX-License-Identifier: Apache-2.0
"""What the agent declares, as connscope_describe prints it, for the scripts beside this file."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional

# A setting or a table header that the packaged config has commented out; prose has a blank after its "#".
COMMENTED_OUT = re.compile(r"^#(?=\[|[a-z_]+ = )", re.MULTILINE)

# What samples of a family are called, by its type, in text of Prometheus and OpenMetrics.
SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("", "_sum", "_count", "_created"),
    "info": ("_info",),
}

# Labels that families declare, and that stay empty, which is as good as absent, until the config says how many values they may have.
SWITCHED_LABELS = frozenset({"cipher", "host", "listener", "netns", "server"})

# Changes of the packaged config that bring in every family and every label.
EVERYTHING = {
    "listener_labels = 0": "listener_labels = 9",
    "netns_labels = 0": "netns_labels = 9",
    "server_labels = 0": "server_labels = 9",
    "host_labels = 0": "host_labels = 9",
    "cipher_labels = false": "cipher_labels = true",
    "names = 0": "names = 9",
    "enabled = false": "enabled = true",
    "args = false": "args = true",
}


class Family(NamedTuple):
    name: str
    type: str
    labels: tuple[str, ...]
    optional_labels: frozenset[str]
    optional: bool
    help: str
    id: str

    def exposed_name(self) -> str:
        return self.name + {"counter": "_total", "info": "_info"}.get(self.type, "")

    def sample_names(self) -> list[str]:
        return [self.name + suffix for suffix in SUFFIXES.get(self.type, ("",))]


def uncommented(config: str) -> str:
    """The packaged config with every setting in force."""
    return COMMENTED_OUT.sub("", config)


def with_everything(config: str) -> str:
    text = uncommented(config)
    for setting, other in EVERYTHING.items():
        text = re.sub(rf"^{re.escape(setting)}$", other, text, flags=re.MULTILINE)
    return text


def describe(program: str, config: Optional[str] = None) -> dict:
    """Raises CalledProcessError, with the agent's complaint on stderr, for a config that it refuses."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(config or "")
        file.flush()
        output = subprocess.run([program, file.name], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)


def families(program: str, config_file: Path) -> list[Family]:
    """All of them, by name; optional is what a host without config does not have."""
    usual = {entry["name"] for entry in describe(program)["families"]}
    return sorted(
        Family(entry["name"], entry["type"], tuple(entry["labels"]), SWITCHED_LABELS & set(entry["labels"]),
               entry["name"] not in usual, entry["help"], entry["id"])
        for entry in describe(program, with_everything(config_file.read_text()))["families"])
