"""What the parts are told."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Options:
    """How to measure."""

    program: str  # the wansplit to be measured
    static: str | None  # the same as it is on a router: static, with musl; none if it is not built
    target: str  # where cargo puts what it builds
    quick: bool  # fewer sizes and fewer rounds: whether it works, not what it costs

    def rounds(self, full, quick=3):
        """How often something is measured, or how long."""
        return quick if self.quick else full

    def sizes(self, full, quick):
        """For which sizes something is measured."""
        return quick if self.quick else full
