"""deploytool restore: put right what an interrupted drill left behind, from any machine and as often as one likes."""

from argparse import Namespace

from deploytool.commands._common import opened
from deploytool.core.errors import DeploytoolError
from deploytool.environments import deployed_service
from deploytool.work.faults import make_fault


def run(args: Namespace) -> int:
    """0 when everything is as a drill found it, restored or already so."""
    with opened(args) as found:
        service = deployed_service(found.project, found.graph, found.target)
        fault = make_fault("health-check", found.target.environment, service)
        needed = not fault.is_restored()
        if needed:
            fault.restore()
            if not fault.is_restored():
                raise DeploytoolError(f"health check {service.health_check_id} is inverted again: is another drill under way?")
        found.terminal.document({"restored": needed, "health_check": service.health_check_id})
        words = f"Health check {service.health_check_id} is {'restored' if needed else 'as it should be: nothing to restore'}."
        found.terminal.say(words)
        return 0
