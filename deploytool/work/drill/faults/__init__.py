"""One file a fault: what it breaks, what undoes that, and what it proves. Adding a fault means
adding a file here.

A module's `FAULT` is its class. Undoing is not a fault's business: it is data
(core/drill/record.py), written down in the account before anything is touched, so that `deploytool
restore` and the guard can do it without the process that broke it.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import UndoStep
from deploytool.core.errors import InputError
from deploytool.core.service.service import Service


class Fault(Protocol):
    """Something to break. `attempt`: how long one check of what is broken takes, in seconds."""

    name: str
    proves: str
    blast_radius: str
    # Whether it swaps the health check's verdict itself, so that there is nothing to detect
    by_inverting: bool
    guarded: bool  # whether the guard in the account can undo it
    attempt: float

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        """Raises DrillRefused when this target or this deployment does not have what the fault
        breaks.
        """
        ...

    def undo(self) -> tuple[UndoStep, ...]:
        """What puts everything back as it is now; asked before `inject`."""
        ...

    def inject(self) -> None: ...

    def calls(self) -> tuple[str, ...]:
        """What `inject` calls, in words."""
        ...


def _all() -> dict[str, type[Fault]]:
    modules = (
        import_module(f"{__name__}.{each.name}")
        for each in iter_modules(__path__)
        if not each.name.startswith("_")
    )
    return {module.FAULT.name: module.FAULT for module in modules}


def make_fault(name: str, ports: DrillPorts, service: Service) -> Fault:
    """The fault of that name. Raises InputError when there is none, DrillRefused when it cannot be
    injected here.
    """
    faults = _all()
    if name not in faults:
        raise InputError(f"--fault {name}: there is {', '.join(sorted(faults))}")
    return faults[name](ports, service)
