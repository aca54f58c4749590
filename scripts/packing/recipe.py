"""What a package is made of, as its Makefile below `openwrt/` says it: the one place where that is written.

The Makefile is run by `make` itself, with the few files of `buildroot/` in place of OpenWrt's build system. So its
fields and its install lines, with their modes, mean here what they mean there.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .tree import Tree
from .trouble import Trouble

BUILDROOT = Path(__file__).parent / "buildroot"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")

# opkg and apk order such versions alike. For pre-releases each has a spelling that the other does not understand.
VERSION = re.compile(r"[0-9]+(\.[0-9]+)*-r[0-9]+")
NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")


@dataclass(frozen=True)
class Recipe:
    """A package but for its architecture."""

    name: str
    source: str  # the folder of its Makefile: several packages may come out of one
    version: str  # with the release: 0.1.0-r1
    upstream_version: str  # without: 0.1.0
    section: str
    title: str
    description: str
    url: str
    maintainer: str
    license: str
    license_files: str
    depends: tuple[str, ...]
    conffiles: tuple[str, ...]
    scripts: dict[str, str]  # by OpenWrt's names: preinst, postinst, prerm, postrm
    any_architecture: bool
    tree: Tree

    @property
    def origin(self) -> str:
        """Where the build system would find the Makefile, with our checkout as the feed `wansplit`."""
        return f"feeds/wansplit/{self.source}"


def read(makefile: Path, sources: Path, program: Path | None = None) -> list[Recipe]:
    """Reads a Makefile, and installs what its packages install: files out of `sources` or beside it, and the built `program`."""
    with tempfile.TemporaryDirectory(prefix="wansplit-package.") as scratch:
        built = Path(scratch, "built")
        (built / "bin").mkdir(parents=True)
        if program:
            (built / "bin" / makefile.parent.name).symlink_to(program.resolve())
        described, installed = Path(scratch, "described"), Path(scratch, "installed")
        described.mkdir()
        installed.mkdir()
        _run_make(
            makefile,
            TOPDIR=BUILDROOT,
            DESCRIPTION=described,
            INSTALLED=installed,
            PKG_BUILD_DIR=sources.resolve(),
            PKG_INSTALL_DIR=built,
            PYTHON=Path(sys.executable),
        )
        recipes = []
        for package in sorted(described.iterdir()):
            fields = {file.name: file.read_text(encoding="utf-8") for file in package.iterdir()}
            recipes.append(_recipe(makefile, package.name, fields, Tree.read(installed / package.name)))
        return recipes


def _run_make(makefile: Path, **variables: Path) -> None:
    command = ["make", "--silent", "--no-print-directory", "-C", str(makefile.parent), "-f", makefile.name, "install"]
    # What the caller's own make would hand down (flags, a job server) is not meant for this one.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    try:
        done = subprocess.run(
            command + [f"{name}={value}" for name, value in variables.items()],
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise Trouble("make is not there: packaging needs it (Debian: apt-get install make)") from None
    if done.returncode != 0:
        raise Trouble(f"{makefile}: make failed:\n{done.stderr.strip()}")


def _recipe(makefile: Path, name: str, fields: dict[str, str], tree: Tree) -> Recipe:
    def field(name: str) -> str:
        value = fields.get(name, "").strip()
        if not value:
            raise Trouble(f"{makefile}: {name} is missing")
        return value

    source, upstream = field("PKG_NAME"), field("PKG_VERSION")
    version = f"{upstream}-r{field('PKG_RELEASE')}"
    if not NAME.fullmatch(name):
        raise Trouble(f"{makefile}: package {name!r}: lower case letters, digits and . + - are possible")
    if not VERSION.fullmatch(version):
        raise Trouble(f"{makefile}: version {version!r}: numbers and dots, like 0.1.0, and a number as PKG_RELEASE")
    conffiles = tuple(sorted(fields.get("conffiles", "").split()))
    for path in conffiles:
        if not tree.has_file(path):
            raise Trouble(f"{makefile}: {path} is among the conffiles, but not installed")
    return Recipe(
        name=name,
        source=source,
        version=version,
        upstream_version=upstream,
        section=field("SECTION"),
        title=field("TITLE"),
        description=_paragraph(fields.get("description", "")) or field("TITLE"),
        url=field("URL"),
        maintainer=field("PKG_MAINTAINER"),
        license=field("PKG_LICENSE"),
        license_files=fields.get("PKG_LICENSE_FILES", "").strip(),
        depends=_depends(makefile, fields.get("DEPENDS", "")),
        conffiles=conffiles,
        scripts={kind: fields[kind].rstrip("\n") + "\n" for kind in SCRIPTS if fields.get(kind, "").strip()},
        any_architecture=fields.get("PKGARCH", "").strip() == "all",
        tree=tree,
    )


def _paragraph(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _depends(makefile: Path, text: str) -> tuple[str, ...]:
    """`+NAME` is a package; `@SYMBOL` is about the build system's configuration and none of a router's business."""
    names = ["libc"]  # which the build system puts before all others
    for word in text.split():
        if word.startswith("@"):
            continue
        dependency = word.removeprefix("+")
        if not NAME.fullmatch(dependency):
            raise Trouble(f"{makefile}: DEPENDS has {word!r}: conditions cannot be answered here, write +NAME")
        names.append(dependency)
    return tuple(dict.fromkeys(names))
