"""One file a fault: inject, restore, verify restored, and what it proves."""

from typing import Protocol

from deploytool.core.ports import Environment
from deploytool.core.service import Service
from deploytool.work.faults.health_check import InvertedHealthCheck


class Fault(Protocol):
    """Something to break and to mend. `restore` is idempotent, and right also while an injection is still on its way."""

    name: str
    proves: str
    by_inverting: bool  # whether it swaps the health check's verdict itself, so that there is nothing to detect
    attempt: float  # how long one check of the broken endpoint takes, in seconds

    def inject(self) -> None: ...

    def restore(self) -> None: ...

    def is_restored(self) -> bool:
        """Read back, not remembered."""
        ...


def make_fault(name: str, environment: Environment, service: Service) -> Fault:
    """The fault of that name."""
    faults = {InvertedHealthCheck.name: InvertedHealthCheck}
    return faults[name](environment, service)
