"""The scripts that a package manager runs around a package's files.

OpenWrt's /lib/functions.sh does what all packages need (enable and start the services of the package's file list, run
its uci-defaults; stop and disable them). A package's scripts call that, and the package's own part with it: under opkg
that part lies beside them as NAME-pkg, and functions.sh runs it; under apk it follows in the same script. In an image
that is being built IPKG_INSTROOT names the router's root; on a router it is empty.
"""

from .recipe import Recipe

_FUNCTIONS = """\
[ -s "${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "${IPKG_INSTROOT}/lib/functions.sh"
"""

_NOT_WANTED = '[ "${IPKG_NO_SCRIPT}" = 1 ] && exit 0\n'


def opkg(recipe: Recipe) -> dict[str, str]:
    """By opkg's names. functions.sh takes the package's name from that of the script ($0)."""
    scripts = {
        "postinst": "#!/bin/sh\n" + _NOT_WANTED + _FUNCTIONS + 'default_postinst "$0" "$@"\n',
        "prerm": "#!/bin/sh\n" + _FUNCTIONS + 'default_prerm "$0" "$@"\n',
    }
    for own in ("postinst", "prerm"):
        if own in recipe.scripts:
            scripts[f"{own}-pkg"] = recipe.scripts[own]
    for own in ("preinst", "postrm"):
        if own in recipe.scripts:
            scripts[own] = recipe.scripts[own]
    return scripts


def apk(recipe: Recipe) -> dict[str, str]:
    """By apk's names. An upgrade runs pre-upgrade and post-upgrade of the new package, and nothing of the old one."""
    known = f'export root="${{IPKG_INSTROOT}}"\nexport pkgname="{recipe.name}"\n'
    upgrade = "#!/bin/sh\nexport PKG_UPGRADE=1\n"
    install = _NOT_WANTED + _FUNCTIONS + known + "add_group_and_user\ndefault_postinst\n" + _body(recipe, "postinst")
    scripts = {
        "post-install": "#!/bin/sh\n" + install,
        "post-upgrade": upgrade + install,
        "pre-deinstall": "#!/bin/sh\n" + _FUNCTIONS + known + "default_prerm\n" + _body(recipe, "prerm"),
    }
    if "preinst" in recipe.scripts:
        scripts["pre-install"] = recipe.scripts["preinst"]
        scripts["pre-upgrade"] = upgrade + _body(recipe, "preinst")
    if "postrm" in recipe.scripts:
        scripts["post-deinstall"] = recipe.scripts["postrm"]
    return scripts


def _body(recipe: Recipe, own: str) -> str:
    """A script of the package's own without the line that names its shell."""
    lines = recipe.scripts.get(own, "").splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#!"))
