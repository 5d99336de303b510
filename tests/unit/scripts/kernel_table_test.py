# SPDX-License-Identifier: Apache-2.0
"""Shows that tests/vm/kernel_table.py says what the guests brought back, and that it keeps the rest of the README."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "tests" / "vm" / "kernel_table.py"
sys.dont_write_bytecode = True  # the source tree stays as it was
sys.path.insert(0, str(SCRIPT.parent))
import kernel_table  # noqa: E402

PROBES = r"""
connscope_probe_up{probe="identity"} 1
connscope_probe_up{probe="tcp"} 1
connscope_probe_info{probe="identity",hook="tp_btf/sched_process_exec"} 1
connscope_probe_info{probe="tcp",hook="tp_btf/inet_sock_set_state"} 1
connscope_probe_info{probe="tcp",hook="tracepoint/raw_syscalls/sys_exit",variant="tracepoint"} 1
connscope_probe_info{probe="tcp",hook="tp_btf/inet_sk_error_report",reason="no \"such\" hook"} 1
"""
RESULT = {"testsuites": [{"name": "Life", "testsuite": [
    {"name": "Begins", "result": "COMPLETED"},
    {"name": "Ends", "result": "COMPLETED", "failures": [{"failure": "x", "type": ""}]},
    {"name": "Waits", "result": "SKIPPED"},
    {"name": "IsLeftOut", "result": "SUPPRESSED"},
]}]}


class KernelTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def results(self, release="5.10.0-46-amd64", probes=PROBES, left_out="*mptcp*\t8\tbuilt without MPTCP\n", test=RESULT):
        folder = self.root / release
        folder.mkdir()
        (folder / "release").write_text(release + "\n", encoding="utf-8")
        (folder / "probes.txt").write_text(probes, encoding="utf-8")
        (folder / "left_out.tsv").write_text(left_out, encoding="utf-8")
        (folder / "tcp_life_integration_test.json").write_text(json.dumps(test), encoding="utf-8")
        return folder

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True,
                              check=False)

    def test_a_row_says_what_a_kernel_has(self):
        row = kernel_table.row(kernel_table.read_kernel(self.results()))
        self.assertEqual(row, ["5.10", "`5.10.0-46-amd64`", "identity, tcp", "3 of 4", "tracepoint",
                               "1 passed, **1 failed**, 1 skipped, 8 left out"])

    def test_each_lack_is_said_with_its_reason(self):
        self.assertEqual(kernel_table.lacks(kernel_table.read_kernel(self.results())), [
            '`tp_btf/inet_sk_error_report` is not attached: no "such" hook',
            "8 tests (`*mptcp*`) are left out: built without MPTCP",
            "`Life.Waits` was skipped",
            "`Life.Ends` fails",
        ])

    def test_a_probe_that_is_off_shows(self):
        kernel = kernel_table.read_kernel(self.results(probes='connscope_probe_up{probe="tcp"} 0\n'))
        self.assertEqual(kernel_table.probes_cell(kernel), "tcp (**off**)")

    def test_writes_between_the_markers_alone(self):
        readme = self.root / "README.md"
        readme.write_text(f"Before\n{kernel_table.BEGIN}\nold\n{kernel_table.END}\nAfter\n", encoding="utf-8")
        for _ in range(2):
            folder = self.root / "5.10.0-46-amd64"
            run = self.run_script("--update", readme, folder if folder.exists() else self.results())
            self.assertEqual(run.returncode, 0, run.stderr)
            text = readme.read_text(encoding="utf-8")
            self.assertTrue(text.startswith(f"Before\n{kernel_table.BEGIN}\n| Linux |"))
            self.assertTrue(text.endswith(f"built without MPTCP.\n- 5.10: `Life.Waits` was skipped.\n"
                                          f"- 5.10: `Life.Ends` fails.\n{kernel_table.END}\nAfter\n"))
            self.assertNotIn("old", text)

    def test_refuses_a_file_without_the_markers(self):
        for text in ("", kernel_table.BEGIN, kernel_table.END + kernel_table.BEGIN):
            with self.assertRaises(ValueError):
                kernel_table.replace_between_markers(text, "table")

    def test_changes_nothing_when_a_kernel_brought_nothing_back(self):
        readme = self.root / "README.md"
        readme.write_text(f"{kernel_table.BEGIN}\n{kernel_table.END}\n", encoding="utf-8")
        before = readme.read_text(encoding="utf-8")
        run = self.run_script("--update", readme, self.results(), self.root / "nothing")
        self.assertEqual(run.returncode, 1)
        self.assertIn("nothing came back", run.stderr)
        self.assertEqual(readme.read_text(encoding="utf-8"), before)

    def test_the_readme_has_the_markers(self):
        readme = SCRIPT.parents[2] / "README.md"
        kernel_table.replace_between_markers(readme.read_text(encoding="utf-8"), "table")


if __name__ == "__main__":
    unittest.main()
