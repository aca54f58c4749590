"""Where feeds are written: a folder is there in full or not at all, whenever this is stopped."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .trouble import Trouble


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """One at a time; and what one that was killed left behind is cleared away."""
    output.mkdir(parents=True, exist_ok=True)
    with open(output / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"{output} is being written by another scripts/package") from None
        for leftover in output.glob(".*.new"):
            shutil.rmtree(leftover)
        for old in output.glob(".*.old"):
            feed = output / old.name[1 : -len(".old")]
            if feed.exists():
                shutil.rmtree(old)
            else:
                old.rename(feed)
        yield


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Puts a folder with these files in the place of the one that is there."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    try:
        _fill(new, files)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise Trouble(f"{folder} cannot be written: {error.strerror}") from error
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _fill(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    folder.chmod(0o755)
    for name, content in files.items():
        with open(folder / name, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
