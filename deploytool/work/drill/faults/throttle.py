"""The fault throttle: the primary's function may not run, so its API answers with an error."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreConcurrency, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service


class Throttle:
    """Sets the reserved concurrency of the primary's function to 0: Lambda throttles every call.

    It tests the whole chain as in a real outage: clients of the primary get errors until DNS has
    moved them.
    """

    name = "throttle"
    proves = "the whole chain, from a real error to DNS"
    blast_radius = "every client of the primary gets errors until it has moved to the secondary"
    by_inverting = False
    by_switch = False
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._region = service.primary
        function = service.functions.get(self._region)
        if function is None:
            raise DrillRefused(
                f"the fault throttle needs a function behind the API in {self._region}; there is none"
            )
        self._functions = ports.functions
        self._function = function

    def undo(self) -> tuple[UndoStep, ...]:
        """Return the step that restores the present reservation, or the absence of one."""
        reserved = self._functions.reserved_concurrency(self._region, self._function)
        return (RestoreConcurrency(self._region, self._function, reserved),)

    def inject(self) -> None:
        """Reserve a concurrency of 0."""
        self._functions.set_reserved_concurrency(self._region, self._function, 0)

    def calls(self) -> tuple[str, ...]:
        """Return the one call."""
        call = f"lambda:PutFunctionConcurrency {self._function} in {self._region}"
        return (f"{call} ReservedConcurrentExecutions=0",)
