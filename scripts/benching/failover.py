"""How soon a dead link is left, and what is lost."""

import json
import subprocess
from pathlib import Path

from . import figures
from .tables import Table

TITLE = "Failover"
MEASURED = (
    "Two links as in `examples/two-links.uci`, real connections through them (`tests/lab/src/bin/failover.rs`), IPv4 and IPv6. A link loses "
    "its carrier, or its provider goes silent behind the gateway, at any moment between two probes; all times begin before the command "
    "that does it. Meanwhile two TCP connections on the other link send a message a millisecond, and on the dead link there are two "
    "TCP connections and two UDP flows with 50 packets a second."
)


def measure(options):
    command = [Path(options.target, "release/failover"), options.program, str(options.rounds(15, 1))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True)
    return [_row(row) for row in json.loads(done.stdout)]


def _row(row):
    """Lists of samples become what half of them keep, and the worst."""
    made = {"part": "failover"}
    for key, value in row.items():
        if isinstance(value, list):
            name = key.removesuffix("_ms")
            made |= {f"{name}_best": min(value), f"{name}_median": figures.middle(value), f"{name}_worst": max(value), f"{name}_times": len(value)}
        else:
            made[key] = value
    return made


def _spread(row, name, digits=1):
    if f"{name}_median" not in row:
        return "-"
    return " / ".join(f"{row[f'{name}_{kind}']:,.{digits}f}" for kind in ("best", "median", "worst"))


def _name(row):
    interval = {"default": ", defaults", "100ms": ", interval 100 ms"}.get(row["interval"], "")
    return row["what"] + interval


def tables(rows):
    times = [[_name(row), row["connected_times"], _spread(row, "found"), _spread(row, "moved"), _spread(row, "reset"), _spread(row, "connected")]
             for row in rows]
    losses = [[_name(row), row["lost_others"], row["broken_others"], _spread(row, "lost_own", 0), row.get("processes", "-"), _spread(row, "cpu")]
              for row in rows]
    return [
        Table("Milliseconds: best / half of the times / worst", ["", "times", "told by the daemon", "UDP goes on", "TCP is reset", "new connection"], times,
              "A TCP client hears of the reset when it sends next: one that waits for an answer has by then doubled its retransmission timeout, "
              "from 0.2 s. A new connection is timed from the death where no program runs, and else from the moment the old ones have moved."),
        Table("What is lost", ["", "other link: messages", "connections", "dead link: UDP packets, each flow", "processes", "daemon, CPU ms"], losses),
    ]
