#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/hardened.sh takes what the distribution's flags make, and names what a binary without one of them lacks."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "hardened.sh"
SOURCE = """#include <cstdio>
#include <cstring>
int main(int count, char** words) {
  char copy[64];
  for (int i = 0; i < count; ++i) { std::strcpy(copy, words[i]); std::puts(copy); }
}
"""


def flags_of(variable: str) -> list[str]:
    environment = {**os.environ, "DEB_BUILD_MAINT_OPTIONS": "hardening=+all"}
    return subprocess.run(["dpkg-buildflags", "--get", variable], check=True, stdout=subprocess.PIPE, text=True,
                          env=environment).stdout.split()


class HardenedTest(unittest.TestCase):
    def complaint_about(self, *more: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            source, binary = Path(folder, "main.cpp"), Path(folder, "main")
            source.write_text(SOURCE)
            flags = [flag for name in ("CPPFLAGS", "CXXFLAGS", "LDFLAGS") for flag in flags_of(name)]
            subprocess.run(["g++", *flags, *more, "-o", binary, source], check=True)
            done = subprocess.run([SCRIPT, binary], stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode == 0, done.stderr == "")
            return done.stderr

    def test_takes_what_the_distribution_makes(self):
        self.assertEqual(self.complaint_about(), "")

    def test_names_what_lacks(self):
        for flags, lacks in ((("-no-pie",), "PIE"), (("-Wl,-z,norelro",), "RELRO"), (("-Wl,-z,lazy",), "BIND_NOW"),
                             (("-Wl,-z,execstack",), "executable"), (("-fno-stack-protector",), "-fstack-protector"),
                             (("-U_FORTIFY_SOURCE",), "_FORTIFY_SOURCE")):
            with self.subTest(lacks):
                complaint = self.complaint_about(*flags)
                self.assertIn(lacks, complaint)
                self.assertEqual(complaint.count("\n"), 1, complaint)


if __name__ == "__main__":
    unittest.main(verbosity=2)
