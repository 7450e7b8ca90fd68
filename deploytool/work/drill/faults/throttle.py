"""Reserved concurrency 0 on the primary's function: every call of it is throttled, so /v1 answers
with an error.
"""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreConcurrency, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service


class Throttled:
    """The whole chain, as in a real outage: clients of the primary see errors until DNS has moved
    them.
    """

    name = "throttle"
    proves = "the whole chain, from a real error to DNS"
    blast_radius = "every client of the primary sees errors until it has moved"
    by_inverting = False
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._region = service.primary
        function = service.functions.get(self._region)
        if function is None:
            raise DrillRefused(
                f"the fault throttle needs a function behind the API in {self._region}, and there is none"
            )
        self._functions, self._function = ports.functions, function

    def undo(self) -> tuple[UndoStep, ...]:
        """Back to the concurrency that is reserved now, or to none."""
        reserved = self._functions.reserved_concurrency(self._region, self._function)
        return (RestoreConcurrency(self._region, self._function, reserved),)

    def inject(self) -> None:
        """Reserve none: nothing may run."""
        self._functions.set_reserved_concurrency(self._region, self._function, 0)

    def calls(self) -> tuple[str, ...]:
        """The one call."""
        return (
            f"lambda:PutFunctionConcurrency {self._function} in {self._region} ReservedConcurrentExecutions=0",
        )


FAULT = Throttled
