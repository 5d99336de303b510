#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the package brings fits the agent: config, manual pages, completions, dashboards, rules, unit.

Usage: packaged_files_test.py CONNSCOPE DESCRIBE BUILT   (BUILT is the folder of the manual pages that the build has made)
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGING = ROOT / "packaging"
sys.path.insert(0, str(PACKAGING))
import declarations  # noqa: E402

CONNSCOPE, DESCRIBE, BUILT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
CONFIG = (PACKAGING / "connscope.toml").read_text()
COMMANDS = ("check-config", "show", "top", "events", "policy", "expose")
# Flags of the host's collectors are node_exporter's, a hundred of them; --help has them.
HOST_FLAG = re.compile(r"--(no-)?collector\.|--path\.")
# What a query may name that no agent declares: Prometheus' own.
FOREIGN = {"up"}
# A name in PromQL that can be a metric's: not a function, a label in a matcher or a list, or a keyword.
METRIC = re.compile(r"\b(?:conn|connscope|process|node)_[a-z0-9_]+\b|\b[a-z_]+:[a-z0-9_:]+\b")
SELECTOR = re.compile(r"([a-z_:][a-z0-9_:]*)\{([^}]*)\}")
LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"')
SCRAPE_LABELS = {"instance", "job", "le"}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def flags_of(*command: str) -> set[str]:
    text = run(CONNSCOPE, *command, "--help")
    return {flag for flag in re.findall(r"(?<![\w-])--[a-z][a-z.-]*", text) if not HOST_FLAG.match(flag)}


class ConfigTest(unittest.TestCase):
    def check(self, text: str) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            return run(CONNSCOPE, "check-config", file.name)

    def test_is_taken_as_it_is_and_with_all_that_it_names(self):
        for text in (CONFIG, declarations.with_everything(CONFIG)):
            self.assertIn("ok", self.check(text))

    def test_as_it_is_it_sets_nothing(self):
        settings = [line for line in CONFIG.splitlines() if line and not line.startswith(("#", "["))]
        self.assertEqual(settings, [])

    def test_names_each_key_that_the_agent_knows(self):
        named, table = set(), ""
        for line in declarations.uncommented(CONFIG).splitlines():
            if line.startswith("["):
                table = line.strip("[]") + "."
                named.update({table[:table.index(".")], table[:-1]})
            elif " = " in line and not line.startswith("#"):
                key, value = line.split(" = ", 1)
                named.add(table + key)
                named.update(f"{table}{key}.{inner}" for inner in re.findall(r"(\w+) =", value))
        lacking = {key for key in declarations.describe(DESCRIBE, declarations.with_everything(CONFIG))["keys"]
                   if key not in named and not self.is_shared_key(key, named)}
        self.assertEqual(lacking, set())

    @staticmethod
    def is_shared_key(key: str, named: set[str]) -> bool:
        """What all exporters of a kind take is explained at one of them."""
        last = key.rpartition(".")[2]
        return key.startswith("exporter.") and any(
            other.startswith("exporter.") and other.endswith("." + last) for other in named)

    def test_each_key_has_a_word_about_it(self):
        lines = CONFIG.splitlines()
        bare = [lines[i] for i in range(1, len(lines))
                if re.match(r"#?[a-z_]+ = |#?\[", lines[i]) and not lines[i - 1].startswith("# ")]
        self.assertEqual(bare, [])


class ManualTest(unittest.TestCase):
    def test_formats_without_a_warning(self):
        pages = [PACKAGING / "man" / "connscope.1", BUILT / "connscope.toml.5", BUILT / "connscope-metrics.7"]
        for page in pages:
            done = subprocess.run(["man", "--warnings", "--local-file", str(page)], check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
            self.assertEqual(done.stderr, "", page)
            self.assertGreater(len(done.stdout), 1000, page)

    def test_has_each_flag_and_command(self):
        page = (PACKAGING / "man" / "connscope.1").read_text().replace("\\-", "-")
        flags = set().union(*(flags_of(*command) for command in [(), *((name,) for name in COMMANDS)]))
        self.assertEqual({flag for flag in flags if flag not in page}, set())
        self.assertEqual({name for name in COMMANDS if name not in page}, set())

    def test_of_metrics_has_each_family(self):
        page = (BUILT / "connscope-metrics.7").read_text()
        families = declarations.families(DESCRIBE, PACKAGING / "connscope.toml")
        self.assertGreater(len(families), 80)
        self.assertEqual([family.name for family in families if family.exposed_name() not in page], [])


class CompletionTest(unittest.TestCase):
    def test_knows_each_flag_and_command(self):
        for name in ("connscope.bash", "_connscope", "connscope.fish"):
            text = (PACKAGING / "completions" / name).read_text()
            for command in COMMANDS:
                self.assertIn(command, text, name)
                for flag in flags_of() | flags_of(command):
                    spelled = f"-l {flag[2:]}" if name.endswith(".fish") else flag
                    # What zsh completes without an entry of its own.
                    self.assertTrue(spelled in text, f"{name}: {flag}")

    def test_is_legal_for_its_shell(self):
        for command in (["bash", "-n", "connscope.bash"], ["zsh", "-n", "_connscope"],
                        ["fish", "--no-execute", "connscope.fish"]):
            run(*command[:-1], str(PACKAGING / "completions" / command[-1]))

    def test_bash_completes_what_fits_the_place(self):
        script = PACKAGING / "completions" / "connscope.bash"

        def complete(*words: str) -> list[str]:
            quoted = " ".join(f"'{word}'" for word in words)
            return run("bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _connscope; "
                       'printf "%s\\n" "${COMPREPLY[@]}"').split()
        self.assertEqual(complete("connscope", "ev"), ["events"])
        self.assertEqual(complete("connscope", "events", "--st"), ["--stage"])
        self.assertEqual(complete("connscope", "events", "--stage", "d"), ["dns"])
        self.assertEqual(complete("connscope", "policy", ""), ["list", "show", "move", "report"])
        self.assertEqual(complete("connscope", "--log.level", "w"), ["warn"])


class QueryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.labels = {}
        for family in declarations.families(DESCRIBE, PACKAGING / "connscope.toml"):
            for sample in family.sample_names():
                cls.labels[sample] = set(family.labels) | SCRAPE_LABELS
        for rule in cls.rules("recording.yml"):
            cls.labels[rule] = None  # promtool knows what labels these have

    @staticmethod
    def rules(name: str) -> list[str]:
        return re.findall(r"record: (\S+)", (PACKAGING / "prometheus" / name).read_text())

    def queries(self) -> list[tuple[str, str]]:
        found = []
        for path in sorted((PACKAGING / "grafana").glob("*.json")):
            board = json.loads(path.read_text())
            for panel in board["panels"]:
                found += [(f"{path.name}: {panel['title']}", target["expr"]) for target in panel["targets"]]
            for variable in board["templating"]["list"]:
                if variable["type"] == "query":
                    asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
                    found.append((f"{path.name}: variable", f"count by ({asked[2]}) ({asked[1]})"))
        return found

    def test_there_are_four_dashboards(self):
        boards = [json.loads(path.read_text()) for path in (PACKAGING / "grafana").glob("*.json")]
        self.assertEqual(len({board["uid"] for board in boards}), 4)
        self.assertGreater(len(self.queries()), 40)

    def check_names(self, place: str, query: str):
        for metric in METRIC.findall(re.sub(r'"[^"]*"', '""', query)):
            if metric not in FOREIGN:
                self.assertIn(metric, self.labels, f"{place}: no such metric")
        for metric, matchers in SELECTOR.findall(query):
            known = self.labels.get(metric)
            if known is not None:
                self.assertLessEqual(set(LABEL.findall(matchers)), known, f"{place}: {metric} has no such label")

    def test_dashboards_ask_for_what_there_is(self):
        for place, query in self.queries():
            self.check_names(place, query)

    def test_rules_ask_for_what_there_is(self):
        for name in ("recording.yml", "alerts.yml"):
            text = (PACKAGING / "prometheus" / name).read_text()
            for query in re.findall(r"expr: (\|\n(?: {10,}.*\n)+|.*\n)", text):
                self.check_names(name, query)

    def test_each_alert_is_tested(self):
        alerts = set(re.findall(r"alert: (\w+)", (PACKAGING / "prometheus" / "alerts.yml").read_text()))
        tested = set(re.findall(r"alertname: (\w+)", (PACKAGING / "prometheus" / "rules_test.yml").read_text()))
        self.assertEqual(alerts, tested)

    def test_prometheus_takes_each_query(self):
        rules = [{"record": f"q{i}", "expr": re.sub(r"\$__(rate_interval|range)", "5m", query)}
                 for i, (_, query) in enumerate(self.queries())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
            file.flush()
            self.assertIn("SUCCESS", run("promtool", "check", "rules", file.name))
        self.assertIn("SUCCESS", run("promtool", "check", "config", str(PACKAGING / "prometheus" / "scrape.yml")))


class SourcePackageTest(unittest.TestCase):
    def test_builds_with_what_a_build_needs(self):
        setup = (ROOT / "scripts" / "setup.sh").read_text()
        needed = {name for name in re.search(r"packages=\(([^)]*)\)", setup)[1].split() if name.endswith("-dev")}
        self.assertGreater(len(needed), 10)
        control = (PACKAGING / "debian" / "control").read_text()
        self.assertEqual({name for name in needed - {"libc6-dev"} if f" {name}" not in control}, set())


class UnitTest(unittest.TestCase):
    def test_has_the_capabilities_that_the_agent_tells_of(self):
        unit = (PACKAGING / "systemd" / "connscope.service.in").read_text()
        source = (ROOT / "agent" / "service" / "capabilities.cpp").read_text()
        told = re.findall(r'Capability\{\s*CAP_\w+,\s*"(CAP_\w+)"', source)
        self.assertGreater(len(told), 4)
        for key in ("CapabilityBoundingSet", "AmbientCapabilities"):
            self.assertEqual(re.search(rf"^{key}=(.*)$", unit, re.MULTILINE)[1].split(), told)
        for name in told:
            self.assertRegex(unit, rf"# (CAP_\w+, )*{name}", "the unit says what it is for")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
