"""What must hold before a command moves traffic."""

from deploytool.core.errors import ApiUnavailable, DeploytoolError, ProbeFailed
from deploytool.core.failover.direction import Direction
from deploytool.core.failover.records import StandbyRecord
from deploytool.work.failover.ports import MovePorts
from deploytool.work.failover.probes import problem_of

# Requests to the region's endpoint before it counts as not serving: one may be lost
ATTEMPTS = 2


def read_standby(ports: MovePorts, stage: str, region: str, option: str = "") -> StandbyRecord:
    """Return what the standby region knows of a stage.

    `option` is the option that selects the target, for the hint. Raises DeploytoolError when it
    knows nothing, or when the stage has no switch; ApiUnavailable when that region's API is down.
    """
    deploy = f"deploytool deploy --stage {stage}{option}"
    try:
        standby = ports.records.read(StandbyRecord)
    except ApiUnavailable as error:
        raise ApiUnavailable(
            f"{error}\nwithout the API of {region} traffic cannot be moved by command, nor held"
            " there; the switch stays as it is",
            region,
            hint="automatic failover works without it: Route 53 moves traffic by the endpoint's"
            f" health check alone. deploytool check --stage {stage}{option} shows who serves",
        ) from error
    if standby is None:
        raise DeploytoolError(
            f"{region} knows nothing of stage {stage}: it was not deployed, or by an older"
            " deploytool, which has no switch",
            hint=deploy,
        )
    if not standby.switch_health_check_id or not standby.name_servers:
        raise DeploytoolError(
            f"stage {stage} has no switch: its DNS is hosted elsewhere,"
            " or it was deployed by an older deploytool",
            hint=f"{deploy} creates it for a stage whose zone is in Route 53"
            " (docs/how-to/domain.md)",
        )
    return standby


def check_destination(ports: MovePorts, standby: StandbyRecord, direction: Direction) -> None:
    """Raise DeploytoolError unless the region to which traffic would move serves.

    It is called at its own endpoint, which bypasses failover.
    """
    region = direction.destination(standby)
    problem = endpoint_problem(ports, standby, region)
    if not problem:
        return
    role = "secondary" if direction.holds else "primary"
    raise DeploytoolError(
        f"the {role}, {region}, does not serve: {problem}; nothing was changed",
        hint=f"--force moves traffic to {region} nevertheless",
    )


def endpoint_problem(ports: MovePorts, standby: StandbyRecord, region: str) -> str:
    """Return why a region's own endpoint does not serve, "" when it does."""
    domain = standby.regional_domains[region]
    problem = ""
    for attempt in range(ATTEMPTS):
        try:
            addresses = ports.resolve(domain).addresses
            # Each attempt calls another address, if there is another one
            answer = ports.http.get(domain, addresses[attempt % len(addresses)], standby.path)
        except ProbeFailed as error:
            problem = str(error)
            continue
        problem = problem_of(answer)
        if not problem and answer.region != region:
            problem = f"{domain} is served by {answer.region}"
        if not problem:
            return ""
    return problem
