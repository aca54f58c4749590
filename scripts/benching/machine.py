"""What machine this is, in general words."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from . import timed


def measure(options):
    """One row."""
    return [{
        "part": "machine",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual": "hypervisor" in _cpuinfo("flags"),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        # Not what stands behind it: that may name a machine.
        "kernel": ".".join(re.findall(r"\d+", platform.release())[:3]),
        "nft": re.search(r"v[\d.]+", timed.text("nft", "--version")).group(0),
        "load": load(),
        "program": timed.text(options.program, "--version").strip(),
        "quick": options.quick,
    }]


def load():
    """What else it does."""
    return round(os.getloadavg()[0], 1)


def _cpuinfo(field):
    match = re.search(rf"^{field}\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1) if match else ""


def _processor():
    """AMD EPYC and the like, without its number."""
    return re.sub(r"\s+", " ", re.sub(r"\(\w+\)|Processor|CPU|@.*", "", _cpuinfo("model name"))).strip() or platform.machine()


def sentence(row):
    kind = "virtual machine" if row["virtual"] else "machine"
    return (f"{row['processor']}, a {kind} with {row['cores']} processors and {row['memory_gib']} GiB of memory, "
            f"Linux {row['kernel']}, nft {row['nft']}; load {row['load']} before, {row['load_after']} after; {row['date']}.")
