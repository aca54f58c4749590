"""tar.gz with the same bytes whenever and wherever it is made."""

import gzip
import io
import tarfile

from .tree import DIRECTORY, LINK, Entry, Tree


def pack(entries: list[Entry], date: int) -> bytes:
    """GNU tar, which opkg reads. Every member is root's and of the same date."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo("./" + entry.path)
            member.mode, member.mtime = entry.mode, date
            if entry.kind == DIRECTORY:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
            elif entry.kind == LINK:
                member.type, member.linkname = tarfile.SYMTYPE, entry.content.decode()
                archive.addfile(member)
            else:
                member.size = len(entry.content)
                archive.addfile(member, io.BytesIO(entry.content))
    return out.getvalue()


def pack_tree(tree: Tree, date: int) -> bytes:
    return pack(list(tree.entries), date)


def compress(data: bytes) -> bytes:
    """gzip without a name and a time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as archive:
        archive.write(data)
    return out.getvalue()
