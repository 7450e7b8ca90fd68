"""The status of a local cloud as text: its addresses, edges, APIs, health checks and delegations."""

from collections.abc import Iterator

from deploytool.localcloud.control.status import CloudStatus, HealthCheckStatus


def status_lines(status: CloudStatus) -> Iterator[str]:
    """Yield the lines of `deploytool local status`."""
    state = status.state
    yield f"process        {state.pid}, speed {state.speed:g}, {status.resident_mb:.0f} MB"
    yield f"directory      {state.directory}"
    yield f"AWS endpoint   {state.endpoint_url}"
    yield f"name server    {state.dns} (UDP and TCP)"
    yield f"resolver       {state.resolver} (UDP and TCP)"
    yield f"parent zones   {state.parent} (UDP and TCP)"
    yield f"CA             {state.ca}"
    yield f"enforces IAM   {'yes' if state.enforce_iam else 'no'}"
    if state.left_out:
        yield f"leaves out     {', '.join(state.left_out)}"
    yield f"MiniStack      {status.ministack}"

    edges = []
    for region, address in state.regions.items():
        edges.append(f"{region:14} https://{address}:{state.https_port}  {status.edges[region]}")
    yield from _section("edges", edges)

    apis = []
    for region, condition in status.apis.items():
        calls_of_region = sum(status.calls_by_region.get(region, {}).values())
        apis.append(f"{region:14} {condition:11} {calls_of_region:5} calls")
    yield from _section("AWS APIs", apis)

    health_checks = [f"{id_}  {_health(check)}" for id_, check in status.health_checks.items()]
    yield from _section("health checks", health_checks)

    delegations = []
    for domain, name_servers in status.delegations.items():
        names = ", ".join(name.rstrip(".") for name in name_servers)
        delegations.append(f"{domain.rstrip('.')} to {names}")
    yield from _section("delegations", delegations)

    calls = [f"{operation:44} {count:5}" for operation, count in sorted(status.calls.items())]
    yield from _section("AWS calls", calls)
    if state.quotas:
        throttled = [f"{operation:44} {n:5}" for operation, n in sorted(status.throttled.items())]
        yield from _section("throttled", throttled)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        yield f"{title:14} none"
        return
    yield title
    for line in lines:
        yield f"  {line}"


def _health(check: HealthCheckStatus) -> str:
    health = "healthy" if check.healthy else "unhealthy"
    return f"{health} ({check.checkers_healthy} of {check.checkers} checkers report healthy)"
