"""How soon a dead link is left, and what is lost."""

import json
import subprocess
import sys
from pathlib import Path

from . import figures
from .tables import of

TITLE = "Failover"
MEASURED = """\
Two links as in `examples/two-links.uci`, real connections through them (`tests/lab/src/bin/failover.rs`), IPv4 and IPv6. A
link loses its carrier, or its provider goes silent behind the gateway, at any moment between two probes; all times begin
before the command that does it. Meanwhile two TCP connections on the other link send a message a millisecond, and on the dead
link there are two TCP connections and two UDP flows with 50 packets a second each."""
TIMES = """\
A TCP client hears of the reset when it sends next: one that waits for an answer has by then doubled its retransmission
timeout, from 0.2 s. A new connection is timed from the death where no program runs, and else from the moment the old ones
have moved."""


def measure(options):
    command = [Path(options.target, "release/failover"), options.program, str(options.rounds(15, 1))]
    if not command[0].exists():
        sys.exit(f"scripts/bench: there is no {command[0]}: cargo build --release --package lab --bin failover makes it")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        sys.exit("scripts/bench: failover could not be measured; its panic says why")
    return [_row(row) for row in json.loads(done.stdout)]


def _row(row):
    """Lists of samples become what half of them keep, and the worst."""
    made = {"part": "failover"}
    for key, value in row.items():
        if isinstance(value, list):
            name = key.removesuffix("_ms")
            made |= {f"{name}_best": min(value), f"{name}_median": figures.middle(value), f"{name}_worst": max(value)}
            made["times"] = len(value)
        else:
            made[key] = value
    return made


def _spread(name, digits=1):
    """A column's cell: best, half of the times, worst."""
    def cell(row):
        if f"{name}_median" not in row:
            return None
        return " / ".join(f"{row[f'{name}_{kind}']:,.{digits}f}" for kind in ("best", "median", "worst"))
    return cell


def _name(row):
    interval = {"default": ", defaults", "100ms": ", interval 100 ms"}.get(row["interval"], "")
    return row["what"] + interval


def tables(rows):
    times = [
        ("", _name),
        ("told by the daemon", _spread("found")),
        ("UDP goes on", _spread("moved")),
        ("TCP is reset", _spread("reset")),
        ("new connection", _spread("connected")),
    ]
    losses = [
        ("", _name),
        ("other link: messages", "lost_others"),
        ("connections", "broken_others"),
        ("dead link: UDP packets, each flow", _spread("lost_own", 0)),
        ("processes", "processes"),
        ("daemon, CPU ms", _spread("cpu")),
    ]
    return [of("Milliseconds: best / half of the times / worst", rows, times, TIMES), of("What is lost", rows, losses)]
