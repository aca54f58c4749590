"""A router with links in network namespaces: for what needs many links and no traffic.

    lan ── lan0 ┌────────┐ wan1 ── peer1 ┐
                │ router │ wan2 ── peer2 ├ outside
                └────────┘ ...           ┘

The router is where this process runs; `lan` and `outside` are namespaces beside it. `outside` is every provider and the
Internet: it answers pings to 192.0.2.10 and 2001:db8:ffff::10. For traffic that is watched there is tests/lab.
"""

import os
import subprocess
import sys
from pathlib import Path

from . import timed
from .options import ROOT

# Set in the process that runs in its own namespaces: those it came from.
LEFT = "BENCH_LEFT"
INTERNET = ("192.0.2.10", "2001:db8:ffff::10")


def _namespaces():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt")]


def inside(*command):
    """The command that runs this one in namespaces of its own; and its environment."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    environment = os.environ | {LEFT: " ".join(_namespaces())}
    return ["unshare", *user, "--net", "--mount", "--propagation", "private", "--", *command], environment


def enter(program):
    """To be called first of all in there: makes sure of it, and lays empty folders over what wansplit reads and writes."""
    if LEFT not in os.environ or set(_namespaces()) & set(os.environ[LEFT].split()):
        sys.exit(f"scripts/bench: these are not namespaces of its own; it makes them itself, and sets {LEFT}")
    # A full /tmp would take its time: it is looked through for dnsmasq's folders.
    for directory in ("/run", "/etc/iproute2", "/tmp"):
        if os.path.isdir(directory) and not any(path.startswith(f"{directory}/") for path in (program, str(ROOT))):
            timed.run("mount", "-t", "tmpfs", "none", directory)
    # On Debian /var/run is /run.
    if not os.path.islink("/var/run"):
        timed.run("mount", "-t", "tmpfs", "none", "/var/run")


class Rig:
    """A router with so many links. Only one at a time."""

    def __init__(self, links):
        self.links = links
        for family in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            setting(family, "1")
        setting("net/ipv6/conf/default/accept_dad", "0")
        for name in ("lan", "outside"):
            timed.run("ip", "netns", "add", name)
            ip(["link set lo up"], name)
        ip(["link set lo up", "link add lan0 type veth peer name eth0 netns lan", "link set lan0 up"])
        ip(["address add 192.168.0.1/16 dev lan0", "address add fd00:1::1/64 dev lan0 nodad"])
        ip(["link set eth0 up", "address add 192.168.1.10/16 dev eth0", "route add default via 192.168.0.1"], "lan")
        ip([f"address add {INTERNET[0]}/32 dev lo", f"address add {INTERNET[1]}/128 dev lo nodad"], "outside")
        near, far = [], []
        for n in range(1, links + 1):
            near += [f"link add wan{n} type veth peer name peer{n} netns outside", f"link set wan{n} up"]
            near += [f"address add 10.0.{n}.2/24 dev wan{n}", f"address add fd00:a:{n}::2/64 dev wan{n} nodad"]
            far += [f"link set peer{n} up", f"address add 10.0.{n}.1/24 dev peer{n}"]
            far += [f"address add fd00:a:{n}::1/64 dev peer{n} nodad"]
        ip(near)
        # Taking the carrier away is switching this end off, which would drop its IPv6 addresses.
        timed.run("ip", "netns", "exec", "outside", "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/keep_addr_on_down; "
                  "for own in /proc/sys/net/ipv6/conf/*/keep_addr_on_down; do echo 1 >$own; done")
        ip(far, "outside")

    def carrier(self, link, on):
        """Puts a link's cable in, or takes it away."""
        ip([f"link set peer{link} {'up' if on else 'down'}"], "outside")

    def interface(self, link, on):
        """What netifd does on `ifup` and `ifdown`."""
        device = f"wan{link}"
        if on:
            ip([f"link set {device} up", f"address add 10.0.{link}.2/24 dev {device}",
                f"address add fd00:a:{link}::2/64 dev {device} nodad"])
        else:
            ip([f"address flush dev {device}", f"link set {device} down"])

    def speaks(self, link, on):
        """Whether the provider answers, behind a cable that is in."""
        chain = "{ type filter hook prerouting priority raw; policy accept; iifname peer%d drop; }" % link
        command = f"delete table inet mute{link}" if on else f"table inet mute{link} {{ chain incoming {chain}; }}"
        subprocess.run(["ip", "netns", "exec", "outside", "nft", "-f", "-"], input=command, check=True, text=True)

    def close(self):
        """Takes everything away."""
        for name in ("lan", "outside"):
            timed.run("ip", "netns", "delete", name)
        # With the far ends the near ones go, but a little later.
        for device in ["lan0", *(f"wan{n}" for n in range(1, self.links + 1))]:
            subprocess.run(["ip", "link", "delete", device], stderr=subprocess.DEVNULL, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ip(lines, namespace=None):
    """Feeds lines to `ip -batch`."""
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines) + "\n", check=True, text=True)


def setting(name, value):
    """Writes one of the kernel's settings of this network."""
    Path("/proc/sys", name).write_text(value, encoding="utf-8")
