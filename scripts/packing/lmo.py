#!/usr/bin/env python3
"""Makes the file in which LuCI looks translations up, an .lmo, out of a catalogue of gettext's, a .po.

usage: lmo.py CATALOGUE.po FILE.lmo

The texts one after the other, each filled up with zeros to a multiple of 4; then for each, ordered by the first number, four
numbers of 32 bits, the highest byte first: the hash of what is translated, how many plural forms there are, where the text
begins, how long it is; at last where these begin. What the plural forms depend on has 0 for a hash. A text that is its own
translation is left out.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

LINE = re.compile(r'(?:(?P<keyword>msgctxt|msgid_plural|msgid|msgstr)(?:\[(?P<form>\d+)\])? )?"(?P<text>(?:[^"\\]|\\.)*)"\s*')
MASK = 0xFFFFFFFF
CONTEXT_ENDS, FORM_FOLLOWS = b"\1", b"\2"


@dataclass
class Message:
    """One message: each of its parts as bytes of UTF-8."""

    parts: dict[str, bytes] = field(default_factory=dict)  # by keyword
    forms: dict[int, bytes] = field(default_factory=dict)  # its translations

    def keys(self) -> dict[bytes, bytes]:
        """What is looked up, with its translation."""
        context = self.parts.get("msgctxt", b"")
        start = (context + CONTEXT_ENDS if context else b"") + self.parts.get("msgid", b"")
        plural = "msgid_plural" in self.parts
        return {start + (FORM_FOLLOWS + str(form).encode() if plural else b""): text for form, text in self.forms.items()}


def read(path: Path) -> list[Message]:
    messages = [Message()]
    part: str | int | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if not found or (not found["keyword"] and part is None):
            raise ValueError(f"{path}:{number}: {line!r} is no line of a catalogue")
        if found["keyword"] in ("msgctxt", "msgid") and messages[-1].forms:
            messages.append(Message())
        if found["keyword"]:
            part = int(found["form"] or 0) if found["keyword"] == "msgstr" else found["keyword"]
        # LuCI wants quotes and backslashes as they are, and all else, \n for a line's end, as it stands in the catalogue.
        text = re.sub(r'\\(["\\])', r"\1", found["text"]).encode()
        known = messages[-1].forms if isinstance(part, int) else messages[-1].parts
        known[part] = known.get(part, b"") + text
    return messages


def hashed(key: bytes) -> int:
    """Paul Hsieh's SuperFastHash, begun with the length, as LuCI uses it."""
    if not key:
        return 0

    def word(at: int) -> int:
        return key[at] | key[at + 1] << 8

    def signed(at: int) -> int:
        return key[at] - 256 if key[at] > 127 else key[at]

    value = len(key) & MASK
    rest = len(key) & 3
    end = len(key) - rest
    for at in range(0, end, 4):
        value = (value + word(at)) & MASK
        value = (value << 16) & MASK ^ ((word(at + 2) << 11) ^ value)
        value = (value + (value >> 11)) & MASK
    if rest == 3:
        value = (value + word(end)) & MASK
        value ^= (value << 16) & MASK
        value ^= (signed(end + 2) << 18) & MASK
        value = (value + (value >> 11)) & MASK
    elif rest == 2:
        value = (value + word(end)) & MASK
        value ^= (value << 11) & MASK
        value = (value + (value >> 17)) & MASK
    elif rest == 1:
        value = (value + signed(end)) & MASK
        value ^= (value << 10) & MASK
        value = (value + (value >> 1)) & MASK
    for left, right in ((3, 5), (4, 17), (25, 6)):
        value ^= (value << left) & MASK
        value = (value + (value >> right)) & MASK
    return value


def plural_rule(messages: list[Message]) -> bytes | None:
    """The field of the catalogue's head, which is the translation of nothing."""
    for message in messages:
        if not message.parts.get("msgid") and 0 in message.forms:
            for line in message.forms[0].split(rb"\n"):
                if line.lower().startswith(b"plural-forms: "):
                    return line[len(b"plural-forms: ") :]
    return None


def build(messages: list[Message]) -> bytes:
    texts, index = bytearray(), []

    def add(key: int, forms: int, text: bytes) -> None:
        index.append((key, forms, len(texts), len(text)))
        texts.extend(text + bytes(-len(text) % 4))

    rule = plural_rule(messages)
    if rule is not None:
        add(0, 0, rule)
    for message in messages:
        if message.parts.get("msgid") and message.forms.get(0):
            for key, text in message.keys().items():
                if text and hashed(key) != hashed(text):
                    add(hashed(key), max(message.forms) + 1, text)
    numbers = [number for entry in sorted(index, key=lambda entry: entry[0]) for number in entry] + [len(texts)]
    return bytes(texts) + b"".join(number.to_bytes(4, "big") for number in numbers)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: lmo.py CATALOGUE.po FILE.lmo")
    catalogue, file = map(Path, sys.argv[1:])
    try:
        content = build(read(catalogue))
        if content == bytes(4):
            raise ValueError(f"{catalogue}: nothing is translated")
        file.write_bytes(content)
    except (OSError, ValueError) as error:
        sys.exit(f"lmo.py: {error}")


if __name__ == "__main__":
    main()
