"""How large the programs and packages are."""

import gzip
from pathlib import Path

from packing import targets

from .options import ROOT
from .tables import of

TITLE = "Sizes"
MEASURED = """\
What lies in `dist/`: `scripts/build` makes the programs, `scripts/package` the packages. What each part of a program costs,
and the others beside it: [sizes.md](sizes.md)."""


def measure(options):
    rows = []
    for target, architectures in targets.read(ROOT / "scripts/cross/targets").items():
        program = ROOT / "dist" / target / "wansplit"
        if not program.exists():
            continue
        content = program.read_bytes()
        packages = {kind: _package(architectures[0], kind) for kind in ("ipk", "apk")}
        packed = len(gzip.compress(content, 9, mtime=0))
        rows.append({"part": "sizes", "target": target, "bytes": len(content), "gzip": packed, **packages})
    return rows


def _package(architecture, kind):
    """The size of a target's package; nothing if it is not there."""
    found = [path.stat().st_size for path in Path(ROOT, "dist/packages", architecture).glob(f"wansplit[-_]*.{kind}")]
    return found[0] if len(found) == 1 else None


def tables(rows):
    return [of("Bytes", rows, [("target", "target"), ("program", "bytes"), ("gzip -9", "gzip"), ("ipk", "ipk"), ("apk", "apk")])]
