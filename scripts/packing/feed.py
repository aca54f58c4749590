"""The indexes of a folder of packages, which make it a feed: Packages for opkg, packages.adb for apk."""

import hashlib

from . import adb, apk, tarball
from .recipe import Recipe
from .signing import ApkKey, OpkgKey

SCHEMA = b"indx"
INDEX_PACKAGES = 2
INFO_IDENTITY = 3  # where a package has its unique id, an index has the hash of the whole ADB block


def opkg_stanza(control: str, file_name: str, content: bytes) -> str:
    """The control text, and where the file is and how it must be. The description comes last, as in OpenWrt's feeds."""
    fields, description = control.split("Description:", 1)
    return (
        f"{fields}Filename: {file_name}\nSize: {len(content)}\n"
        f"SHA256sum: {hashlib.sha256(content).hexdigest()}\nDescription:{description}"
    )


def opkg_index(stanzas: list[str], key: OpkgKey | None) -> dict[str, bytes]:
    text = "".join(stanza + "\n" for stanza in sorted(stanzas)).encode()
    files = {"Packages": text, "Packages.gz": tarball.compress(text)}
    if key:
        files["Packages.sig"] = key.sign(text)
    return files


def apk_index(packages: list[tuple[Recipe, apk.Built]], architecture: str, key: ApkKey | None) -> dict[str, bytes]:
    heap = adb.Heap()
    known = []
    for recipe, built in sorted(packages, key=lambda package: package[0].name):
        fields = apk.information(heap, recipe, architecture)
        fields[apk.INFO_INSTALLED_SIZE] = heap.integer(built.installed_size)
        fields[apk.INFO_FILE_SIZE] = heap.integer(len(built.content))
        fields[INFO_IDENTITY] = heap.blob(built.identity)
        known.append(heap.record(fields))
    payload = heap.finish(heap.record({INDEX_PACKAGES: heap.array(known)}))
    blocks = [adb.block(adb.BLOCK_ADB, payload)]
    if key:
        blocks.append(adb.block(adb.BLOCK_SIGNATURE, key.sign(SCHEMA, payload)))
    return {"packages.adb": adb.file(SCHEMA, blocks)}
