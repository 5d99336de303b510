# SPDX-License-Identifier: Apache-2.0
"""Shows that scripts/check_includes.py finds what the layering forbids, and lets pass what it allows."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "check_includes.py"
sys.dont_write_bytecode = True  # the source tree stays as it was
sys.path.insert(0, str(SCRIPT.parent))
import check_includes  # noqa: E402


class CheckIncludes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for header in (
            "agent/base/result.h", "agent/config/document.h", "agent/detail/connection.h",
            "agent/metrics/snapshot.h", "agent/http/server.h",
            "agent/identity/resolver.h", "agent/probe/probe.h", "agent/policy/policy.h", "agent/runtime/cycle.h",
            "agent/host/collector.h", "exporters/encoder.h", "exporters/catalog.h", "exporters/openmetrics.h",
            "bpf/catalog.h", "bpf/include/shared.h", "bpf/include/maps.bpf.h", "bpf/tcp/tcp_connect.h",
        ):
            self.write(header, "#pragma once\n")
        # What makes the header of their name one of both sides.
        self.write("bpf/tcp/tcp_connect.bpf.c", "")
        self.write("bpf/tcp/tcp_accept.bpf.c", "")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def violations(self, path, include):
        self.write(path, f"// First line.\n#include {include}\n")
        return check_includes.check_tree(self.root)

    def assert_allowed(self, path, header):
        self.assertEqual(self.violations(path, f'"{header}"'), [])

    def assert_refused(self, path, include):
        found = self.violations(path, include)
        self.assertEqual([(v.path, v.line) for v in found], [(path, 2)])
        (self.root / path).unlink()
        return found[0].message

    def test_allows_a_box_its_own_headers_and_those_below(self):
        for path, header in (
            ("agent/base/file.cpp", "agent/base/result.h"),
            ("agent/metrics/registry.cpp", "agent/base/result.h"),
            ("agent/probe/loader.cpp", "agent/identity/resolver.h"),
            ("agent/identity/intern.cpp", "bpf/include/shared.h"),
            ("agent/runtime/agent.cpp", "agent/http/server.h"),
            ("agent/runtime/scrape.cpp", "exporters/encoder.h"),
            ("agent/main.cpp", "bpf/catalog.h"),
            ("exporters/text.cpp", "agent/metrics/snapshot.h"),
            ("bpf/catalog.cpp", "bpf/tcp/tcp_connect.h"),
            ("bpf/tcp/tcp_connect.cpp", "agent/probe/probe.h"),
            ("bpf/tcp/tcp_connect.bpf.c", "bpf/include/maps.bpf.h"),
            ("bpf/tcp/cells.h", "agent/probe/probe.h"),
        ):
            with self.subTest(path=path, header=header):
                self.assert_allowed(path, header)

    def test_refuses_what_the_layering_forbids(self):
        for path, header in (
            ("agent/base/file.cpp", "agent/config/document.h"),
            ("agent/metrics/registry.cpp", "agent/config/document.h"),
            ("agent/http/routes.cpp", "agent/metrics/snapshot.h"),
            ("agent/config/parser.cpp", "agent/metrics/snapshot.h"),
            ("agent/identity/intern.cpp", "agent/probe/probe.h"),
            ("agent/host/cpu.cpp", "bpf/include/shared.h"),
            ("agent/policy/outliers.cpp", "agent/detail/connection.h"),
            ("agent/probe/loader.cpp", "bpf/include/maps.bpf.h"),
            ("agent/runtime/agent.cpp", "bpf/catalog.h"),
            ("agent/runtime/agent.cpp", "exporters/openmetrics.h"),
            ("exporters/text.cpp", "bpf/include/shared.h"),
            ("exporters/text.cpp", "agent/identity/resolver.h"),
            ("bpf/tcp/tcp_connect.cpp", "exporters/encoder.h"),
            ("bpf/tcp/tcp_connect.cpp", "agent/runtime/cycle.h"),
            ("bpf/tcp/tcp_connect.bpf.c", "agent/base/result.h"),
            ("bpf/tcp/tcp_accept.h", "agent/base/result.h"),
        ):
            with self.subTest(path=path, header=header):
                message = self.assert_refused(path, f'"{header}"')
                self.assertIn(f'may not include "{header}"', message)
                self.assertIn("it may include", message)

    def test_allows_a_skeleton_only_to_its_own_source(self):
        skeleton = '"bpf/tcp/tcp_connect.skel.h"'
        self.assertEqual(self.violations("bpf/tcp/tcp_connect.cpp", skeleton), [])
        self.assertIn("only by bpf/*/tcp_connect.cpp", self.assert_refused("bpf/tcp/tcp_accept.cpp", skeleton))
        self.assertIn("only by bpf/*/tcp_connect.cpp", self.assert_refused("agent/probe/tcp_connect.cpp", skeleton))

    def test_refuses_includes_that_are_not_root_relative(self):
        self.assertIn("relative to its root", self.assert_refused("agent/base/file.cpp", '"result.h"'))
        self.assertIn("with quotes", self.assert_refused("agent/base/file.cpp", "<agent/base/result.h>"))
        self.assertEqual(self.violations("bpf/tcp/tcp_connect.bpf.c", "<bpf/bpf_helpers.h>"), [])

    def test_refuses_a_folder_that_no_rule_names(self):
        self.assertIn("MAY_INCLUDE", self.assert_refused("agent/novelty/thing.cpp", '"agent/base/result.h"'))

    def test_the_command_fails_and_names_file_and_line(self):
        self.write("agent/http/routes.cpp", '#include <string>\n#include "agent/metrics/snapshot.h"\n')
        run = subprocess.run([sys.executable, str(SCRIPT), str(self.root)], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("agent/http/routes.cpp:2: agent/http may not include", run.stderr)


if __name__ == "__main__":
    unittest.main()
