"""What it takes to move the connections of a dead link."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import configurations, figures
from .curve import Chart, Line
from .daemon import Daemon
from .rig import Rig
from .tables import between, of

TITLE = "Connections of a dead link"
MEASURED = """\
A link loses its carrier while so many UDP flows go by it, and as many by another link: processor time of the daemon from the
event until 1.6 s after it has told of it. The kernel does the work, in one message for each family, and counts it as the
daemon's. To find a link's connections the kernel walks the table of the whole machine, those of other namespaces included: on
a machine that others use, this is what scatters."""
IN_NAMESPACES = True

# Half of the Internet by each link.
_RULES = """
config rule 'one'
	option use 'web'
	option dest_ip '100.1.0.0/16'
config rule 'two'
	option use 'L2'
	option dest_ip '100.2.0.0/16'
"""
# They need no answer, and nobody shall refuse them.
_SINK = """
table inet sink {
  chain incoming { type filter hook prerouting priority raw; policy accept; ip daddr 100.0.0.0/8 drop; }
}
"""
# Sends packets of each flow from one socket: to this many ports of each of as many addresses as it takes. Twice, and with
# pauses: a busy machine's queues are short.
_SENDER = """
import socket, sys, time
count, first = int(sys.argv[1]), sys.argv[2]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
for n in [*range(count), *range(count)]:
    s.sendto(b"x", (f"{first}.{n // 50000}.1", 10000 + n % 50000))
    if n % 200 == 0:
        time.sleep(0.001)
"""


def measure(options):
    rows = []
    with Rig(2) as rig, tempfile.TemporaryDirectory(dir="/run") as directory:
        config = Path(directory, "config")
        config.write_text(configurations.configuration(2) + _RULES, encoding="utf-8")
        subprocess.run(["ip", "netns", "exec", "outside", "nft", "-f", "-"], input=_SINK, check=True, text=True)
        for count in options.sizes([0, 1000, 10_000, 50_000], [0, 1000]):
            rows.append({"part": "flows", "flows": count} | _case(options, rig, config, count))
    return rows


def _case(options, rig, config, count):
    cpu, told = [], 0
    for _ in range(options.rounds(7, 1)):
        with Daemon(options.program, config) as daemon:
            for first in ("100.1", "100.2"):
                subprocess.run(["ip", "netns", "exec", "lan", sys.executable, "-c", _SENDER, str(count), first], check=True)
            time.sleep(0.5)
            before, since = daemon.cpu(), time.monotonic()
            rig.carrier(1, False)
            daemon.wait_for_line(since, "link L1", "down")
            time.sleep(1.6)
            cpu.append(daemon.cpu() - before)
            text = next(text for _, text in daemon.lines if "link L1" in text and "down" in text)
            told = int(text.split(" flows")[0].rsplit(" ", 1)[1]) if " flow" in text else 0
            since = time.monotonic()
            rig.carrier(1, True)
            daemon.wait_for_line(since, "link L1", "up")
    low, high = figures.interval(cpu)
    spread = {"cpu_ms": figures.middle(cpu), "cpu_low": round(low, 2), "cpu_high": round(high, 2)}
    return {"moved": told, "rounds": len(cpu), **spread}


def tables(rows):
    columns = [
        ("flows of the dead link", lambda row: f"{row['flows']:,}"),
        ("moved", "moved"),
        ("CPU ms (95 %)", between("cpu_ms", "cpu_low", "cpu_high")),
    ]
    return [of("", rows, columns)]


def curves(rows):
    return [Chart("flows", "Processor time to move the flows of a dead link", "flows of the dead link", "ms",
                  [Line("event and flows", [(row["moved"], row["cpu_ms"]) for row in rows])])]
