"""The built program, before it goes into a package: is it what its folder's name says?"""

import struct
from pathlib import Path

from .trouble import Trouble

# The ELF header's e_machine and byte order, by the processor that a Rust target's name begins with.
_MACHINES = {
    "x86_64": (62, "<"),
    "aarch64": (183, "<"),
    "arm": (40, "<"),
    "mips": (8, ">"),
    "mipsel": (8, "<"),
    "riscv64gc": (243, "<"),
}
_INTERPRETER = 3  # PT_INTERP: the loader that a dynamically linked program asks for


def check(path: Path, target: str) -> None:
    """Refuses a program of another processor, and one that needs libraries which no router has."""
    data = path.read_bytes()
    if len(data) < 64 or data[:4] != b"\x7fELF":
        raise Trouble(f"{path} is no ELF program: scripts/build {target} makes it")
    processor = target.split("-")[0]
    wanted = _MACHINES.get("arm" if processor.startswith("arm") else processor)
    if wanted is None:
        raise Trouble(f"scripts/packing/program.py does not know how programs for {processor} look")
    order = "<" if data[5] == 1 else ">"
    machine = struct.unpack_from(order + "H", data, 18)[0]
    if (machine, order) != wanted:
        raise Trouble(
            f"{path} is for another processor (ELF machine {machine}); scripts/build {target} makes the right one"
        )
    if _has_segment(data, order, _INTERPRETER):
        raise Trouble(f"{path} is linked dynamically: scripts/build {target} makes a static one")


def _has_segment(data: bytes, order: str, kind: int) -> bool:
    wide = data[4] == 2
    headers = struct.unpack_from(order + ("Q" if wide else "I"), data, 32 if wide else 28)[0]
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    return any(struct.unpack_from(order + "I", data, headers + number * size)[0] == kind for number in range(count))
