#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hashes of Go's types in bpf/tls/go_tls.h are those that its compilers make of the types' names."""
import hashlib
import pathlib
import re
import unittest

HEADER = pathlib.Path(__file__).resolve().parents[3] / "bpf/tls/go_tls.h"
LINE = re.compile(r'X\(\w+, "([^"]+)", (0x\w+), (0x\w+), (0x\w+)\)')


def first_word(digest):
    return int.from_bytes(digest[:4], "little")


def inverted(digest):
    return bytes(byte ^ 0xFF for byte in digest)


def first_byte_inverted(digest):
    return bytes([digest[0] ^ 0xFF]) + digest[1:]


class GoTypes(unittest.TestCase):
    def test_each_hash_is_that_of_its_name(self):
        lines = LINE.findall(HEADER.read_text())
        self.assertGreater(len(lines), 10)
        for name, *hashes in lines:
            sha256 = hashlib.sha256(name.encode()).digest()
            md5 = hashlib.md5(name.encode()).digest()
            expected = [inverted(sha256), first_byte_inverted(md5), first_byte_inverted(sha256)]
            self.assertEqual([int(text, 16) for text in hashes], [first_word(digest) for digest in expected], name)


if __name__ == "__main__":
    unittest.main()
