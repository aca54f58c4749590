"""The package of OpenWrt from 25.12 on, for apk-tools 3: apk-package(5) in an ADB file."""

import hashlib
import stat
import struct
from dataclasses import dataclass

from . import adb, maintainer_scripts
from .recipe import Recipe
from .signing import ApkKey
from .tree import DIRECTORY, FILE, LINK, Entry, Tree

SCHEMA = b"pckg"

# Numbers of the fields of the package, its information, paths, files and their owners (apk-package(5), apk_adb.h).
PKG_INFO, PKG_PATHS, PKG_SCRIPTS = 1, 2, 3
INFO_NAME, INFO_VERSION, INFO_UNIQUE_ID, INFO_DESCRIPTION, INFO_ARCH, INFO_LICENSE, INFO_ORIGIN = range(1, 8)
INFO_MAINTAINER, INFO_URL, INFO_INSTALLED_SIZE, INFO_FILE_SIZE, INFO_DEPENDS, INFO_TAGS = 8, 9, 12, 13, 15, 21
PATH_NAME, PATH_ACL, PATH_FILES = 1, 2, 3
FILE_NAME, FILE_ACL, FILE_SIZE, FILE_MTIME, FILE_HASH, FILE_TARGET = range(1, 7)
ACL_MODE, ACL_USER, ACL_GROUP = 1, 2, 3
SCRIPTS = ("trigger", "pre-install", "post-install", "pre-deinstall", "post-deinstall", "pre-upgrade", "post-upgrade")


@dataclass(frozen=True)
class Built:
    """A package, and what the feed's index says of it beyond the recipe."""

    file_name: str
    content: bytes
    installed_size: int
    identity: bytes  # SHA-256 of the ADB payload


def information(heap: adb.Heap, recipe: Recipe, architecture: str) -> dict[int, int]:
    """The fields that a package and the index share, in the order of their numbers, as apk itself writes them."""
    fields = {
        INFO_NAME: heap.blob(recipe.name),
        INFO_VERSION: heap.blob(recipe.version),
        INFO_DESCRIPTION: heap.blob(" ".join(recipe.description.split())),
        INFO_ARCH: heap.blob("noarch" if recipe.any_architecture else architecture),
        INFO_LICENSE: heap.blob(recipe.license),
        INFO_ORIGIN: heap.blob(recipe.origin),
        INFO_MAINTAINER: heap.blob(recipe.maintainer),
        INFO_URL: heap.blob(recipe.url),
    }
    depends = [(name, heap.record({1: heap.blob(name)})) for name in recipe.depends]
    # Listed by name, whatever the order in which they are written.
    fields[INFO_DEPENDS] = heap.array([slot for _, slot in sorted(depends)])
    fields[INFO_TAGS] = heap.array([heap.blob(f"openwrt:section={recipe.section}")])
    return fields


def build(recipe: Recipe, architecture: str, date: int, key: ApkKey | None) -> Built:
    tree = recipe.tree.with_files(_known_to_openwrt(recipe))
    heap = adb.Heap()
    fields = information(heap, recipe, architecture)
    paths, data = _paths(heap, tree, date)
    # At least 1, as in apk's own writer.
    installed_size = sum(len(entry.content) for entry in tree.entries if entry.kind == FILE) or 1
    fields[INFO_INSTALLED_SIZE] = heap.integer(installed_size)
    fields[INFO_UNIQUE_ID], unique_id = heap.reserve(20)
    scripts = maintainer_scripts.apk(recipe)
    package = {
        PKG_INFO: heap.record(fields),
        PKG_PATHS: heap.array(paths),
        PKG_SCRIPTS: heap.array([heap.blob(scripts.get(kind, "")) for kind in SCRIPTS]),
    }
    root = heap.record(package)
    # The hash of everything, with zeros in its own place.
    heap.overwrite(unique_id, hashlib.sha256(heap.finish(root)).digest()[:20])
    payload = heap.finish(root)
    blocks = [adb.block(adb.BLOCK_ADB, payload)]
    if key:
        blocks.append(adb.block(adb.BLOCK_SIGNATURE, key.sign(SCHEMA, payload)))
    return Built(
        file_name=f"{recipe.name}-{recipe.version}.apk",
        content=adb.file(SCHEMA, blocks + data),
        installed_size=installed_size,
        identity=hashlib.sha256(payload).digest(),
    )


def _known_to_openwrt(recipe: Recipe) -> dict[str, bytes]:
    """What opkg kept itself and apk does not: OpenWrt's scripts and sysupgrade read it from files of the package."""
    place = f"lib/apk/packages/{recipe.name}"
    files = {f"{place}.list": "".join(path + "\n" for path in recipe.tree.installed())}
    if recipe.conffiles:
        files[f"{place}.conffiles"] = "".join(path + "\n" for path in recipe.conffiles)
        files[f"{place}.conffiles_static"] = "".join(
            f"{path} {hashlib.sha256(recipe.tree.content(path)).hexdigest()}\n" for path in recipe.conffiles
        )
    return {path: text.encode() for path, text in files.items()}


def _paths(heap: adb.Heap, tree: Tree, date: int) -> tuple[list[int], list[bytes]]:
    """The directories with their files, and a data block for each file that is not empty."""
    directories = sorted((entry for entry in tree.entries if entry.kind == DIRECTORY), key=lambda entry: entry.path)
    paths, data = [], []
    for path_number, directory in enumerate(directories, 1):
        inside = (entry for entry in tree.entries if entry.kind != DIRECTORY and entry.parent == directory.path)
        files = []
        for file_number, entry in enumerate(sorted(inside, key=lambda entry: entry.name), 1):
            files.append(_file(heap, entry, date))
            if entry.kind == FILE and entry.content:
                data.append(adb.block(adb.BLOCK_DATA, struct.pack("<II", path_number, file_number) + entry.content))
        fields = {PATH_NAME: heap.blob(directory.path), PATH_ACL: _acl(heap, directory)}
        fields[PATH_FILES] = heap.array(files)
        paths.append(heap.record(fields))
    return paths, data


def _file(heap: adb.Heap, entry: Entry, date: int) -> int:
    fields = {FILE_NAME: heap.blob(entry.name)}
    if entry.kind == LINK:
        fields[FILE_TARGET] = heap.blob(struct.pack("<H", stat.S_IFLNK) + entry.content)
    else:
        fields[FILE_HASH] = heap.blob(hashlib.sha256(entry.content).digest())
    fields[FILE_MTIME] = heap.integer(date)
    fields[FILE_SIZE] = heap.integer(len(entry.content))
    fields[FILE_ACL] = _acl(heap, entry)
    return heap.record(fields)


def _acl(heap: adb.Heap, entry: Entry) -> int:
    """Owners are names, not numbers."""
    return heap.record({ACL_MODE: heap.integer(entry.mode), ACL_USER: heap.blob("root"), ACL_GROUP: heap.blob("root")})
