"""Waits before a stack changes a hosted zone that Route 53 is changing itself."""

from collections.abc import Callable, Mapping

from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.certificates.records import zones_changed_by
from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.project.graph import Node
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.operations import RetryAfter

# Of a change of accelerated recovery, in seconds. It takes some minutes.
_LONGEST_CHANGE = 1800.0
_PAUSE = 5.0


class ZoneChangeGate(DeployHooks):
    """Delays stacks with records until their zone takes changes. One gate per run.

    Accelerated recovery is turned on after a zone is created or updated. Until it is on, Route 53
    refuses every change of the zone (`CHANGING` in core/certificates/ports.py). Whether
    CloudFormation waits for that is not documented, so the run does.
    """

    def __init__(self, make_ports: Callable[[], CertificatePorts]) -> None:
        self._make_ports = make_ports
        # The zones that take changes, and since when the others are waited for.
        self._ready: set[str] = set()
        self._since: dict[str, float] = {}

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> RetryAfter | None:
        """Return None when the zones of the stack's records take changes, or when to ask again.

        Raises DeploytoolError when a zone takes none for too long.
        """
        for zone_id in zones_changed_by(node.document, parameters):
            if zone_id not in self._ready and self._must_wait(zone_id):
                return RetryAfter(_PAUSE)
        return None

    def _must_wait(self, zone_id: str) -> bool:
        ports = self._make_ports()
        try:
            zone = ports.zones.get(zone_id)
        except ApiUnavailable:
            # CloudFormation may still reach Route 53, and otherwise says so.
            return False
        if not zone.is_changing:
            self._ready.add(zone_id)
            return False

        now = ports.clock.now()
        if now - self._since.setdefault(zone_id, now) >= _LONGEST_CHANGE:
            raise DeploytoolError(
                f"hosted zone {zone_id} takes no changes since {_LONGEST_CHANGE:.0f} s:"
                f" its accelerated recovery is {zone.recovery}",
                hint="look at the zone in the Route 53 console, then deploy again",
            )
        return True
