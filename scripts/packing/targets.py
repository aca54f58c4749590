"""Which program runs on which routers: the table that scripts/build has, and its last column.

A package names exactly one architecture of OpenWrt, so one program goes into several packages. All programs are static:
a router's own C library, and how its programs pass floating point numbers, do not matter.
"""

from pathlib import Path

from .trouble import Trouble

_COLUMNS = 7


def read(table: Path) -> dict[str, tuple[str, ...]]:
    """The architectures that each target's program serves."""
    targets = {}
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split()
        if len(columns) != _COLUMNS:
            raise Trouble(f"{table}, line {number}: {len(columns)} columns instead of {_COLUMNS}")
        targets[columns[0]] = tuple(columns[-1].split(","))
    return targets
