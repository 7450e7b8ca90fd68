"""The ports with which a command moves the traffic of a stage."""

from deploytool.aws.standby import CloudWatchSwitchMetric, SsmStandbyRecords
from deploytool.files.project import Project
from deploytool.net.clock import RealClock, wall_time
from deploytool.targets.service import drill_records, running_deployment
from deploytool.targets.target import Target
from deploytool.work.failover.ports import MovePorts


def move_ports(target: Target, project: Project, stage: str) -> MovePorts:
    """Return the ports of a failover and of a failback.

    Every call to AWS goes to the secondary region.
    """
    config = project.config
    place = (config.secondary, config.project, stage)
    network = target.network
    return MovePorts(
        clock=RealClock(target.speed),
        dns=network.dns,
        http=network.http,
        executor=target.ports.executor,
        resolver=network.resolvers[0],
        locate=network.locate,
        records=SsmStandbyRecords(target.clients, *place),
        metric=CloudWatchSwitchMetric(target.clients, *place),
        drills=drill_records(target, project, stage),
        now=wall_time,
        deployments=running_deployment(target, config.project, stage, (config.secondary,)),
    )
