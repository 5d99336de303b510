# SPDX-License-Identifier: Apache-2.0
"""Shows what tests/vm/instruction_counts.py lets pass, what it refuses, and what it records."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "tests" / "vm" / "instruction_counts.py"
sys.dont_write_bytecode = True  # the source tree stays as it was
sys.path.insert(0, str(SCRIPT.parent))
import instruction_counts  # noqa: E402


class InstructionCounts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.record_file = self.root / "record.tsv"
        self.object = self.root / "tcp.bpf.o"
        self.compiled_by("14.0.6")

    def compiled_by(self, version):
        self.object.write_bytes(b"\0Debian clang version " + version.encode() + b"\0")

    def run_script(self, command, measured, release="6.1.0-5-amd64", required=False):
        file = self.root / "measured.tsv"
        file.write_text(measured, encoding="utf-8")
        environment = {**os.environ, "CONNSCOPE_BPF_TESTS": "required" if required else "auto"}
        return subprocess.run(
            [sys.executable, str(SCRIPT), command, "--release", release, "--objects", str(self.object),
             "--record-file", str(self.record_file), "--measured", str(file)],
            capture_output=True, text=True, check=False, env=environment)

    def record(self, measured, release="6.1.0-5-amd64"):
        self.assertEqual(self.run_script("record", measured, release).returncode, 0)

    def assert_differs(self, measured, message):
        run = self.run_script("compare", measured)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn(message, run.stderr)

    def test_small_differences_pass(self):
        self.record("tcp/tcp\ton_state\t1000\ntcp/tcp\tshort\t9\n")
        for large, short in ((1000, 9), (1100, 29), (900, 1)):
            run = self.run_script("compare", f"tcp/tcp\ton_state\t{large}\ntcp/tcp\tshort\t{short}\n", "6.1.77")
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_growth_and_shrinking_beyond_the_tolerance_are_told(self):
        self.record("tcp/tcp\ton_state\t1000\n")
        self.assert_differs("tcp/tcp\ton_state\t1101\n", "tcp/tcp on_state grew from 1000 to 1101 instructions (+10 %)")
        self.assert_differs("tcp/tcp\ton_state\t500\n", "tcp/tcp on_state shrank from 1000 to 500 instructions (-50 %)")

    def test_new_and_missing_programs_are_told(self):
        self.record("tcp/tcp\ton_state\t1000\n")
        self.assert_differs("tcp/tcp\ton_state\t1000\ntcp/tcp\ton_close\t7\n", "tcp/tcp on_close is new, with 7")
        self.assert_differs("", "tcp/tcp on_state is on record and was not measured")

    def test_a_program_that_a_kernel_no_longer_takes_is_told(self):
        self.record("tcp/tcp\ton_state\t1000\ntcp/tcp\ton_error\tno_hook\n")
        run = self.run_script("compare", "tcp/tcp\ton_state\t1000\ntcp/tcp\ton_error\tno_hook\twhy\n")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assert_differs("tcp/tcp\ton_state\trejected\twhy\ntcp/tcp\ton_error\tno_hook\n",
                            "on_state is rejected, on record as 1000")
        self.assert_differs("tcp/tcp\ton_state\t1000\ntcp/tcp\ton_error\t5\n", "on_error is 5, on record as no_hook")

    def test_what_a_policy_forbids_is_said_and_not_compared(self):
        self.record("tcp/tcp\ton_state\t1000\ntcp/tcp\ton_call\t50\n")
        run = self.run_script("compare", "tcp/tcp\ton_state\t1000\ntcp/tcp\ton_call\trefused\tno\n")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("forbids them: tcp/tcp on_call", run.stdout)

    def test_where_all_is_forbidden_nothing_passes(self):
        self.record("tcp/tcp\ton_state\t1000\n")
        self.assertEqual(self.run_script("compare", "tcp/tcp\ton_state\trefused\tno\n").returncode, 77)
        self.assertEqual(self.run_script("compare", "tcp/tcp\ton_state\trefused\tno\n", required=True).returncode, 1)

    def test_an_unknown_series_or_compiler_is_said_and_compares_nothing(self):
        self.record("tcp/tcp\ton_state\t1000\n")
        run = self.run_script("compare", "tcp/tcp\ton_state\t1000\n", "6.12.1")
        self.assertEqual((run.returncode, "on record for Linux 6.12:" in run.stdout), (77, True))
        self.compiled_by("19.1.7")
        run = self.run_script("compare", "tcp/tcp\ton_state\t1000\n")
        self.assertEqual((run.returncode, "clang 14's objects, not of clang 19's" in run.stdout), (77, True))

    def test_a_record_keeps_the_other_kernels_in_the_order_of_versions(self):
        self.record("tcp/tcp\ton_state\t3\n", "6.12.1")
        self.record("tcp/tcp\ton_state\t2\n", "6.1.9")
        self.record("tcp/tcp\ton_state\tno_hook\twhy\n", "5.10.2")
        lines = [line for line in self.record_file.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
        self.assertEqual(lines, ["5.10\ttcp/tcp\ton_state\tno_hook", "6.1\ttcp/tcp\ton_state\t2",
                                 "6.12\ttcp/tcp\ton_state\t3"])

    def test_a_record_of_another_compiler_replaces_all(self):
        self.record("tcp/tcp\ton_state\t3\n", "6.12.1")
        self.compiled_by("19.1.7")
        self.record("tcp/tcp\ton_state\t2\n", "6.1.9")
        text = self.record_file.read_text(encoding="utf-8")
        self.assertIn("# clang 19\n", text)
        self.assertNotIn("6.12", text)


if __name__ == "__main__":
    unittest.main()
