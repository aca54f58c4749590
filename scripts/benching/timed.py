"""Running a program to its end, with a clock."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Time:
    """What a program took, in milliseconds."""

    wall: float
    cpu: float  # its own and that of the programs it started


def run(*command, output=subprocess.DEVNULL, check=True):
    """Runs a program that must end well; returns what it took."""
    start = time.perf_counter()
    # Not subprocess.run: `wait4` alone says what this one child has used.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if check and child.returncode != 0:
        sys.exit(f"scripts/bench: {' '.join(map(str, command))} ended with {child.returncode}")
    return Time(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def text(*command):
    """What a program that must end well writes."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout
