"""The package of OpenWrt up to 24.10, for opkg: a tar.gz of three members, two of which are tar.gz again."""

from . import maintainer_scripts, tarball
from .recipe import Recipe
from .tree import DIRECTORY, FILE, Entry


def file_name(recipe: Recipe, architecture: str) -> str:
    return f"{recipe.name}_{recipe.version}_{architecture}.ipk"


def control(recipe: Recipe, architecture: str, date: int, installed_size: int) -> str:
    """What opkg knows of the package. The feed's index holds the same."""
    fields = {
        "Package": recipe.name,
        "Version": recipe.version,
        "Depends": ", ".join(recipe.depends),
        "Source": recipe.origin,
        "SourceName": recipe.source,
        "License": recipe.license,
        "LicenseFiles": recipe.license_files,
        "Section": recipe.section,
        "SourceDateEpoch": str(date),
        "URL": recipe.url,
        "Maintainer": recipe.maintainer,
        "Architecture": architecture,
        "Installed-Size": str(installed_size),
        "Description": recipe.description.replace("\n", "\n "),
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def build(recipe: Recipe, architecture: str, date: int) -> tuple[bytes, str]:
    """The file, and its control text."""
    data = tarball.pack_tree(recipe.tree, date)
    # opkg's Installed-Size is that of the uncompressed tar, as in OpenWrt's build.
    text = control(recipe, architecture, date, len(data))
    members = {"control": (0o644, text)}
    if recipe.conffiles:
        members["conffiles"] = (0o644, "".join(path + "\n" for path in recipe.conffiles))
    for name, script in maintainer_scripts.opkg(recipe).items():
        members[name] = (0o755, script)
    root = Entry("", DIRECTORY, 0o755)
    files = [Entry(name, FILE, mode, content.encode()) for name, (mode, content) in sorted(members.items())]
    outer = [
        Entry("debian-binary", FILE, 0o644, b"2.0\n"),
        Entry("data.tar.gz", FILE, 0o644, tarball.compress(data)),
        Entry("control.tar.gz", FILE, 0o644, tarball.compress(tarball.pack([root, *files], date))),
    ]
    return tarball.compress(tarball.pack(outer, date)), text
