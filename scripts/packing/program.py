"""The built program, before it goes into a package: is it what its folder's name says?"""

import struct
from pathlib import Path

from .architectures import Target
from .trouble import Trouble

_INTERPRETER = 3  # PT_INTERP: the loader that a dynamically linked program asks for


def check(path: Path, target: Target) -> None:
    """Refuses a program of another processor, and one that needs libraries which no router has."""
    data = path.read_bytes()
    if len(data) < 52 or data[:4] != b"\x7fELF":
        raise Trouble(f"{path} is no ELF program: scripts/build makes it")
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    machine = struct.unpack_from(order + "H", data, 18)[0]
    if machine != target.machine or (order == "<") != target.little_endian:
        raise Trouble(f"{path} is a program for another processor (ELF machine {machine}) than its folder says")
    headers = struct.unpack_from(order + ("Q" if wide else "I"), data, 32 if wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    for number in range(count):
        if struct.unpack_from(order + "I", data, headers + number * size)[0] == _INTERPRETER:
            raise Trouble(f"{path} is linked dynamically: scripts/build makes static programs, which run on every router")
