"""The fault switch: traffic moves as with `deploytool failover`, and back as with `failback`."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreSwitch, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.failover.records import METRIC, SwitchRecord, parameter_name
from deploytool.core.service.service import Service
from deploytool.work.drill.switch import hold


class Switch:
    """Holds the stage's switch, in the secondary region alone.

    Releasing it is the failback. So both directions of the commands are measured.
    """

    name = "switch"
    proves = "the switch of the commands failover and failback, DNS failover, and the secondary"
    blast_radius = (
        "no client is affected: the primary continues to serve while clients move to the secondary"
    )
    by_inverting = False
    by_switch = True
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        if not service.switch_health_check_id:
            raise DrillRefused(
                f"the fault switch needs the switch of stage {service.stage}; there is none",
                hint=f"deploytool deploy --stage {service.stage} deploys it (infra/switch.yaml)",
            )
        self._ports = ports
        self._service = service

    def undo(self) -> tuple[UndoStep, ...]:
        """Return the step that releases the switch."""
        return (restore_switch(self._service),)

    def inject(self) -> None:
        """Hold the switch: its record, then its metric."""
        hold(self._ports, "the fault switch of a drill")

    def calls(self) -> tuple[str, ...]:
        """Return the two calls."""
        region = self._service.secondary
        name = parameter_name(self._service.project, self._service.stage, SwitchRecord)
        return (
            f"ssm:PutParameter {name} in {region}: held",
            f"cloudwatch:PutMetricData {METRIC} 1 in {region}, repeated while the drill waits",
        )


def restore_switch(service: Service) -> RestoreSwitch:
    """Return the step that releases a stage's switch."""
    return RestoreSwitch(service.secondary, service.project, service.stage)
