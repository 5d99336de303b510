#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the terminal's output that comes on standard input as an SVG, for the README.

Usage: connscope top --once | packaging/terminal_picture.py 'connscope top --once' > packaging/top.svg
"""

import sys
from html import escape

COLUMN, LINE, MARGIN, FONT = 8.4, 18, 16, 14  # pixels
PROMPT = "# "


def picture(command, lines):
    lines = [PROMPT + command, *(line.rstrip() for line in lines)]
    width = max(map(len, lines)) * COLUMN + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    rows = []
    for number, line in enumerate(lines):
        # Headings are in capitals; what a person typed comes first.
        kind = "typed" if number == 0 else "head" if line and not line[0].isspace() and line.split()[0].isupper() else "text"
        rows.append(f'<text class="{kind}" x="{MARGIN}" y="{MARGIN + (number + 0.75) * LINE:g}">{escape(line)}</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" xml:space="preserve" role="img">',
        f"<title>{escape(command)}</title>",
        f"<style>text {{ font: {FONT}px monospace; white-space: pre; fill: #d4d4d4 }} .typed {{ fill: #8fce8f }} .head {{ fill: #7fb3e6 }}</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="#1e1e1e"/>',
        *rows, "</svg>"]) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(picture(sys.argv[1], sys.stdin.read().splitlines()))
