"""What a program asks of the kernel, counted by strace."""

import collections
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

# All of a message, however long: the rest would go uncounted. Signals are no calls.
_STRACE = ("strace", "-f", "-v", "-s", "1000000", "-e", "signal=none")
_CALL = re.compile(r"^\d+ +(\w+)\((.*)", re.DOTALL)
_RESUMED = re.compile(r"^\d+ +<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
# A message's header. What an answer repeats of the question stands behind `msg=`.
_MESSAGE = re.compile(r"(?<!msg=)\{nlmsg_len=(\d+), nlmsg_type=([^,]+),")
_SENDING = ("sendto", "sendmsg")
_RECEIVING = ("recvfrom", "recvmsg")
_STARTING = ("clone", "clone3", "fork", "vfork")
# Questions, and the brackets around a transaction. nft's NFT_MSG_GETGEN has no name in strace 6.1.
_NO_CHANGE = ("_GET", "BATCH_", "0xa10")


@dataclass
class Trace:
    """Counts."""

    calls: collections.Counter = field(default_factory=collections.Counter)  # system calls by name
    processes: int = 0  # started
    kinds: collections.Counter = field(default_factory=collections.Counter)  # netlink messages sent that are to change something
    change_bytes: int = 0
    asked: int = 0  # netlink messages sent that ask
    received: int = 0  # netlink messages received
    received_bytes: int = 0

    @property
    def changes(self):
        return sum(self.kinds.values())

    def row(self):
        """As columns."""
        return {
            "processes": self.processes,
            "calls": sum(self.calls.values()),
            "calls_by_name": dict(self.calls.most_common()),
            "changes": self.changes,
            "changes_by_kind": dict(self.kinds.most_common()),
            "nft_changes": sum(count for kind, count in self.kinds.items() if kind.startswith("NFT_")),
            "change_bytes": self.change_bytes,
            "asked": self.asked,
            "received": self.received,
            "received_bytes": self.received_bytes,
        }

    def add(self, line):
        """One line of strace's."""
        if match := _CALL.match(line):
            name, rest = match.groups()
            self.calls[name] += 1
            self.processes += name in _STARTING
        elif match := _RESUMED.match(line):
            name, rest = match.groups()
        else:
            return
        if name in _SENDING:
            self._sent(rest)
        elif name in _RECEIVING and "MSG_PEEK" not in rest:
            for length, _ in _MESSAGE.findall(rest):
                self.received += 1
                self.received_bytes += int(length)

    def _sent(self, text):
        for length, kind in _MESSAGE.findall(text):
            if any(mark in kind for mark in _NO_CHANGE):
                self.asked += 1
            else:
                self.kinds[kind.split('|')[-1]] += 1
                self.change_bytes += int(length)


def _read(path):
    trace = Trace()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            trace.add(line)
    return trace


def command(*arguments):
    """Runs a program to its end, with all that it starts."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "trace")
        subprocess.run([*_STRACE, "-o", path, "--", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        return _read(path)


@contextlib.contextmanager
def process(pid):
    """Watches a running program; what is yielded holds the counts when the block has ended."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "trace")
        strace = subprocess.Popen([*_STRACE, "-o", path, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
        first = strace.stderr.readline()
        if "attached" not in first:
            raise RuntimeError(f"strace cannot watch the daemon: {first.strip()}")
        rest = threading.Thread(target=strace.stderr.read)
        rest.start()
        trace = Trace()
        try:
            yield trace
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait()
            rest.join()
        trace.__dict__.update(_read(path).__dict__)


def until(done, *arguments):
    """Starts a program that goes on for ever, waits for `done`, and ends it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "trace")
        # A group of its own: strace passes no signal on that it gets itself.
        strace = subprocess.Popen([*_STRACE, "-o", path, "--", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            done()
        finally:
            os.killpg(strace.pid, signal.SIGTERM)
            strace.wait()
        return _read(path)
