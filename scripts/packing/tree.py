"""A package's files: names, modes and contents, all owned by root, in one order everywhere."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .trouble import Trouble

DIRECTORY, FILE, LINK = "directory", "file", "link"


@dataclass(frozen=True)
class Entry:
    """One directory, file or symbolic link. Its path has no leading slash; the root's is empty."""

    path: str
    kind: str
    mode: int
    content: bytes = b""  # a file's bytes; a link's target

    @property
    def parent(self) -> str:
        return os.path.dirname(self.path)

    @property
    def name(self) -> str:
        return os.path.basename(self.path)


@dataclass(frozen=True)
class Tree:
    """The root directory first; then, in each directory, its entries by name, a directory's own right after it."""

    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, root: Path) -> "Tree":
        """Reads what lies below `root`. Who owns it there does not matter."""
        return cls((Entry("", DIRECTORY, 0o755), *_walk(root, "")))

    def with_files(self, files: dict[str, bytes]) -> "Tree":
        """The same with more files, mode 644, and their directories."""
        entries = {entry.path: entry for entry in self.entries}
        for path, content in files.items():
            entries[path] = Entry(path, FILE, 0o644, content)
            parent = os.path.dirname(path)
            while parent not in entries:
                entries[parent] = Entry(parent, DIRECTORY, 0o755)
                parent = os.path.dirname(parent)
        return Tree(tuple(sorted(entries.values(), key=lambda entry: entry.path.split("/") if entry.path else [])))

    def has_file(self, path: str) -> bool:
        return any(entry.kind == FILE and "/" + entry.path == path for entry in self.entries)

    def content(self, path: str) -> bytes:
        return next(entry.content for entry in self.entries if entry.kind == FILE and "/" + entry.path == path)

    def installed(self) -> list[str]:
        """Every file and link, as a package manager lists them."""
        return sorted("/" + entry.path for entry in self.entries if entry.kind != DIRECTORY)


def _walk(root: Path, directory: str) -> Iterator[Entry]:
    for name in sorted(os.listdir(root / directory), key=os.fsencode):
        path = os.path.join(directory, name)
        status = os.lstat(root / path)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            yield Entry(path, DIRECTORY, mode)
            yield from _walk(root, path)
        elif stat.S_ISREG(status.st_mode):
            yield Entry(path, FILE, mode, (root / path).read_bytes())
        elif stat.S_ISLNK(status.st_mode):
            yield Entry(path, LINK, 0o777, os.fsencode(os.readlink(root / path)))
        else:
            raise Trouble(f"/{path} is no file, directory or symbolic link: it cannot be packed")
