"""The faults of a drill: what each one breaks, what undoes it, and what it proves.

A new fault is a class in a file of this folder and a line in FAULTS. A fault does not undo itself.
The steps that undo it are data (core/drill/record.py). They are written down in the account before
anything is touched, so that `deploytool restore` and the guard can run them when the process that
injected the fault is gone.
"""

from typing import Protocol

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import UndoStep
from deploytool.core.errors import InputError, suggestion
from deploytool.core.service.service import Service
from deploytool.work.drill.faults.edge import Blackhole, Error, Refuse, Slow
from deploytool.work.drill.faults.health_check import InvertedHealthCheck
from deploytool.work.drill.faults.switch import Switch
from deploytool.work.drill.faults.throttle import Throttle
from deploytool.work.drill.faults.unmap import Unmap


class Fault(Protocol):
    """A fault that can be injected into the primary region.

    `proves` and `blast_radius` describe it for people: which parts of the failover a drill with it
    tests, and which clients it affects. `by_inverting`: the fault swaps the health check's verdict
    itself, so there is nothing to detect. `by_switch`: the fault moves traffic by the stage's switch,
    so no health check of the endpoint detects it. `guarded`: the guard in the account can undo it.
    `attempt`: how long one check of the broken endpoint takes, in seconds.
    """

    @property
    def name(self) -> str: ...
    @property
    def proves(self) -> str: ...
    @property
    def blast_radius(self) -> str: ...
    @property
    def by_inverting(self) -> bool: ...
    @property
    def by_switch(self) -> bool: ...
    @property
    def guarded(self) -> bool: ...
    @property
    def attempt(self) -> float: ...

    def undo(self) -> tuple[UndoStep, ...]:
        """Return the steps that restore the present state. Called before `inject`."""
        ...

    def inject(self) -> None:
        """Break it."""
        ...

    def calls(self) -> tuple[str, ...]:
        """Return the API calls that `inject` makes, as text."""
        ...


FAULTS = (InvertedHealthCheck, Throttle, Unmap, Switch, Blackhole, Error, Refuse, Slow)


def make_fault(name: str, ports: DrillPorts, service: Service) -> Fault:
    """Return the fault with a name.

    Raises InputError when there is none, DrillRefused when it cannot be injected here.
    """
    for fault in FAULTS:
        if fault.name == name:
            return fault(ports, service)
    known = sorted(fault.name for fault in FAULTS)
    raise InputError(f"--fault {name}: there is {', '.join(known)}{suggestion(name, known)}")
