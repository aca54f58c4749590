"""`wansplit run` in a rig, and what it uses."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

_PATIENCE = 60


def is_ready(program, config, pid=None):
    """Whether a daemon, this one, has done what its configuration says."""
    command = [program, "--config", config, "status", "--json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        status = json.loads(done.stdout)
    except ValueError:
        return False
    return bool(status.get("daemon")) and pid in (None, status["daemon"]) and status.get("in_sync") is True


class Daemon:
    """The running daemon; ready when it has applied its configuration."""

    def __init__(self, program, config, wait=True):
        self.program, self.config = program, config
        self.lines = []  # (time, text) of its log
        self.started = time.monotonic()
        self.child = subprocess.Popen([program, "--config", config, "run"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            self._wait_until_ready()

    def _read(self):
        for line in self.child.stderr:
            self.lines.append((time.monotonic(), line.rstrip()))

    def log(self):
        return "\n".join(text for _, text in self.lines)

    def _wait_until_ready(self):
        self.wait(lambda: is_ready(self.program, self.config, self.child.pid), "the daemon is not ready", 0.01)

    def wait(self, come_true, otherwise, every=0.002):
        """Waits until something holds."""
        until = time.monotonic() + _PATIENCE
        while not come_true():
            if self.child.poll() is not None or time.monotonic() > until:
                sys.exit(f"scripts/bench: {otherwise}:\n{self.log()}")
            time.sleep(every)

    def wait_for_line(self, since, *words):
        """When the first line since then came that has all these words."""
        def found():
            return [at for at, text in list(self.lines) if at >= since and all(word in text for word in words)]
        self.wait(found, f"the daemon did not say {' '.join(words)}")
        return found()[0]

    def cpu(self):
        """Processor time so far, in milliseconds, as the scheduler counts it: to the nanosecond."""
        return int(self._proc("schedstat").split()[0]) / 1e6

    def busy_at_first(self):
        """How long after its start it first rested, for 0.3 s, and the processor time until then; milliseconds.

        To be asked of one that was not waited for: the question whether it is ready makes it work.
        """
        last, cpu = 0, 0
        while (now := time.monotonic() - self.started) < last + 0.3 or not cpu:
            if (used := self.cpu()) != cpu:
                last, cpu = now, used
            time.sleep(0.001)
        return last * 1000, cpu

    def usage(self):
        """Memory in KiB, and how often it has waited for something."""
        fields = dict(line.split(":", 1) for line in self._proc("status").splitlines())
        number = lambda name: int(fields[name].split()[0])  # noqa: E731
        return {
            "rss_kib": number("VmRSS"),
            "own_kib": number("RssAnon"),
            "peak_kib": number("VmHWM"),
            "wakeups": number("voluntary_ctxt_switches"),
        }

    def _proc(self, name):
        return Path("/proc", str(self.child.pid), name).read_text(encoding="utf-8")

    def end(self):
        """Ends it; the kernel keeps what it has."""
        self.child.terminate()
        self.child.wait()
        self.reader.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
