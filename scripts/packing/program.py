"""The built program, before it goes into a package: is it what its folder's name says?"""

from pathlib import Path

from cross.elf import Elf

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


def check(path: Path, target: str) -> None:
    """Refuses a program of another processor, and one that needs libraries which no router has."""
    try:
        elf = Elf(path.read_bytes())
        dynamic = elf.is_dynamic()
    except ValueError:
        raise Trouble(f"{path} is no ELF program: scripts/build {target} makes it") from None
    processor = target.split("-")[0]
    wanted = _MACHINES.get("arm" if processor.startswith("arm") else processor)
    if wanted is None:
        raise Trouble(f"scripts/packing/program.py does not know how programs for {processor} look")
    if (elf.machine, elf.order) != wanted:
        raise Trouble(
            f"{path} is for another processor (ELF machine {elf.machine}); scripts/build {target} makes the right one"
        )
    if dynamic:
        raise Trouble(f"{path} is linked dynamically: scripts/build {target} makes a static one")
