# SPDX-License-Identifier: Apache-2.0
"""The certificates that the TLS tests show are what they are called, by OpenSSL's own judgement."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "support/tls_peers/make_certificates.sh"
# What the first complaint about each is, as openssl-verification-options(1) numbers them; 0: none.
SERVERS = {"good": 0, "expired": 10, "notyetvalid": 9, "selfsigned": 18, "unknownca": 20, "wronghost": 62,
           "revoked": 23}
CLIENTS = {"client": 0, "client_expired": 10, "client_selfsigned": 18, "client_unknownca": 20, "client_revoked": 23}


class CertificatesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([SCRIPT, cls.folder.name], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def first_error(self, name, *options):
        verify = ["openssl", "verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "ca.pem", *options,
                  f"{name}.pem"]
        done = subprocess.run(verify, cwd=self.folder.name, capture_output=True, text=True, check=False)
        found = re.search(r"^error (\d+) at", done.stderr, re.MULTILINE)
        self.assertEqual(done.returncode == 0, found is None, done.stderr)
        return int(found[1]) if found else 0

    def test_servers(self):
        for name, code in SERVERS.items():
            with self.subTest(name):
                self.assertEqual(self.first_error(name, "-purpose", "sslserver", "-verify_hostname", "localhost"), code)

    def test_a_root_in_the_chain(self):
        self.assertEqual(self.first_error("otherchain", "-untrusted", "other_ca.pem"), 19)

    def test_clients(self):
        for name, code in CLIENTS.items():
            with self.subTest(name):
                self.assertEqual(self.first_error(name, "-purpose", "sslclient"), code)


if __name__ == "__main__":
    unittest.main()
