# SPDX-License-Identifier: Apache-2.0
"""Shows what tests/integration/tls_table.py makes of what was seen, and when it finds the README at fault."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it was
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
import tls_table  # noqa: E402

SEEN = """ok\topenssl\t1.2\tok\tok\t-
expired\topenssl\t1.2\texpired\texpired\t-
fin_hello\topenssl\t1.2\tpeer_closed\taborted\t-
ok\topenssl\t1.3\tok\tok\t-
expired\topenssl\t1.3\texpired\tother_alert\t-
fin_hello\topenssl\t1.3\tpeer_closed\taborted\t-
ok\tcurl_nss\t1.2\tok\tok\t-
expired\tcurl_nss\t1.2\tok+expired\tok\tit looks later
fin_hello\tcurl_nss\t1.2\tpeer_closed\taborted\t-
ok\tcurl_nss\t1.3\tok\tok\t-
expired\tcurl_nss\t1.3\tok+expired\tok\tit looks later
fin_hello\tcurl_nss\t1.3\tpeer_closed\taborted\t-
"""
TABLES = """| every stack | client | server |
| --- | --- | --- |
| a good certificate | ok | ok |
| certificate expired | by stack | by stack |
| server closes after its hello | peer_closed | aborted |

| the client's reason | openssl | curl + nss |
| --- | --- | --- |
| certificate expired | expired | ok, then expired |

| the server's reason | openssl | curl + nss |
| --- | --- | --- |
| certificate expired | expired / other_alert | ok |

- curl_nss (certificate expired): it looks later."""


class TlsTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.seen = Path(folder.name) / "seen.tsv"
        self.seen.write_text(SEEN, encoding="utf-8")
        self.readme = Path(folder.name) / "README.md"
        self.show("old")

    def show(self, inner):
        self.readme.write_text(f"above\n{tls_table.BEGIN}\n{inner}\n{tls_table.END}\nbelow\n", encoding="utf-8")

    def run_script(self, option):
        return tls_table.main([option, str(self.readme), str(self.seen)])

    def test_renders_what_was_seen(self):
        self.assertEqual(tls_table.render(tls_table.read(SEEN)), TABLES)

    def test_update_leaves_the_rest_alone(self):
        self.assertEqual(self.run_script("--update"), 0)
        text = self.readme.read_text(encoding="utf-8")
        self.assertEqual(text, f"above\n{tls_table.BEGIN}\n{TABLES}\n{tls_table.END}\nbelow\n")

    def test_check_passes_what_is_shown_rightly(self):
        self.show(TABLES)
        self.assertEqual(self.run_script("--check"), 0)

    def test_check_refuses_another_table_and_changes_nothing(self):
        before = self.readme.read_text(encoding="utf-8")
        self.assertEqual(self.run_script("--check"), 1)
        self.assertEqual(self.readme.read_text(encoding="utf-8"), before)

    def test_nothing_seen_is_no_table(self):
        self.seen.unlink()
        self.assertEqual(self.run_script("--check"), tls_table.NOTHING_SEEN)

    def test_a_file_without_markers_is_refused(self):
        self.readme.write_text("nothing here\n", encoding="utf-8")
        with self.assertRaises(ValueError):
            self.run_script("--update")


if __name__ == "__main__":
    unittest.main()
