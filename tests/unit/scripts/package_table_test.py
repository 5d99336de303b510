# SPDX-License-Identifier: Apache-2.0
"""Shows that tests/vm/package_table.py says what the guests brought back."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "tests" / "vm" / "package_table.py"
sys.dont_write_bytecode = True  # the source tree stays as it was
sys.path.insert(0, str(SCRIPT.parent))
import package_table  # noqa: E402


class PackageTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name, "results")

    def guest(self, suite, release, passed=True, without_drop_in=1, probes='connscope_probe_up{probe="tcp"} 1\n'):
        folder = self.results / suite / f"some={release}"
        folder.mkdir(parents=True)
        (folder / "release").write_text(release + "\n")
        (folder / "without_drop_in").write_text(f"{without_drop_in}\n")
        (folder / "probes.txt").write_text(probes)
        if passed:
            (folder / "passed").touch()

    def test_has_a_row_for_each_kernel_in_its_order(self):
        self.guest("trixie", "6.12.1-amd64")
        self.guest("bookworm", "6.12.1-amd64", passed=False)
        self.guest("bookworm", "5.10.0-46-amd64", without_drop_in=0, probes='connscope_probe_up{probe="nss"} 0\n')
        self.assertEqual(package_table.render(package_table.read_guests(self.results)).splitlines(), [
            "| Linux | Debian 12 | Debian 13 |",
            "| --- | --- | --- |",
            "| 5.10 | passes (look-ups and TLS libraries by the drop-in; nss is off) | not run |",
            "| 6.12 | **fails** | passes |",
        ])

    def test_a_guest_that_broke_off_before_a_scrape_fails(self):
        self.guest("bookworm", "6.1.0-56-amd64", passed=False)
        (self.results / "bookworm" / "some=6.1.0-56-amd64" / "probes.txt").unlink()
        self.assertIn("| 6.1 | **fails** |", package_table.render(package_table.read_guests(self.results)))

    def test_the_rest_of_the_file_stays(self):
        self.guest("bookworm", "6.1.0-56-amd64")
        readme = self.results.parent / "README.md"
        readme.write_text(f"before\n{package_table.BEGIN}\nold\n{package_table.END}\nafter\n")
        subprocess.run([sys.executable, SCRIPT, "--update", readme, self.results], check=True, stdout=subprocess.DEVNULL)
        lines = readme.read_text().splitlines()
        self.assertEqual([lines[0], lines[-1]], ["before", "after"])
        self.assertIn("| 6.1 | passes |", lines)
        self.assertNotIn("old", lines)


if __name__ == "__main__":
    unittest.main()
