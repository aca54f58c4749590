#!/usr/bin/env python3
"""Takes comments and indentation out of JavaScript and CSS, in place: a fifth less on a router's flash.

usage: shorten.py FILE ...

Only what needs no knowledge of the language: comments that have their lines for themselves, and blanks at the beginning of
lines. Lines within a text that goes over several of them (a template literal) would change: such a file stays as it is.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^[ \t]*/\*(?:[^*]|\*(?!/))*\*/[ \t]*\n", re.MULTILINE)
LINE = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
EMPTY = re.compile(r"\n{2,}")


def shorten(text: str, script: bool) -> str:
    if any(line.count("`") % 2 for line in text.splitlines()):
        return text
    text = BLOCK.sub("", text)
    if script:
        text = LINE.sub("", text)
    return EMPTY.sub("\n", INDENT.sub("", text)).lstrip("\n")


def main() -> None:
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_text(shorten(file.read_text(encoding="utf-8"), file.suffix == ".js"), encoding="utf-8")


if __name__ == "__main__":
    main()
