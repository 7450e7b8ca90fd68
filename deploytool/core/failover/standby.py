"""The standby's record of a deployed service, and the service that such a record describes. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from deploytool.core.failover.records import (
    LARGEST_VALUE,
    SCHEMA_VERSION,
    Deployed,
    OutputsRecord,
    StandbyRecord,
    to_json,
)
from deploytool.core.project.config import Setting
from deploytool.core.project.graph import NodeId
from deploytool.core.project.settings import text_of
from deploytool.core.service.service import DrillGuard, Service


def standby_record(
    service: Service,
    settings: Mapping[str, Setting],
    name_servers: Sequence[str],
    deployed: Deployed,
) -> StandbyRecord:
    """Return what the standby must know of a service.

    `name_servers` are the names of the zone's servers, empty when the zone is hosted elsewhere.
    """
    guard: dict[str, str] = {}
    if service.guard is not None:
        guard = asdict(service.guard)
    return StandbyRecord(
        SCHEMA_VERSION,
        project=service.project,
        stage=service.stage,
        domain=service.domain,
        path=service.path,
        primary=service.primary,
        secondary=service.secondary,
        regional_domains=dict(service.regional_domains),
        hosted_zone_id=service.hosted_zone_id,
        name_servers=tuple(name.rstrip(".") for name in name_servers),
        health_check_id=service.health_check_id,
        failover_health_check_id=service.failover_health_check_id,
        switch_health_check_id=service.switch_health_check_id,
        failback=service.failback,
        deployed=deployed,
        targets=dict(service.targets),
        functions=dict(service.functions),
        rest_apis=dict(service.rest_apis),
        guard=guard,
        settings={name: text_of(value) for name, value in settings.items()},
    )


def service_from(record: StandbyRecord) -> Service:
    """Return the service that a record describes, so that no stack has to be asked for it."""
    guard = DrillGuard(**record.guard) if record.guard else None
    return Service(
        project=record.project,
        stage=record.stage,
        domain=record.domain,
        path=record.path,
        primary=record.primary,
        secondary=record.secondary,
        regional_domains=record.regional_domains,
        hosted_zone_id=record.hosted_zone_id,
        health_check_id=record.health_check_id,
        functions=record.functions,
        rest_apis=record.rest_apis,
        guard=guard,
        failover_health_check_id=record.failover_health_check_id,
        switch_health_check_id=record.switch_health_check_id,
        targets=record.targets,
        failback=record.failback,
    )


def outputs_record(
    region: str, outputs: Mapping[NodeId, Mapping[str, str]], at: str
) -> OutputsRecord:
    """Return the outputs of a region's stacks, as many as a parameter holds.

    `at` is the time (ISO 8601, UTC). Stacks with the longest outputs are left out first.
    """
    kept: dict[str, Mapping[str, str]] = {}
    for node in sorted(outputs):
        if node.region == region and outputs[node]:
            kept[node.stack] = dict(outputs[node])

    record = OutputsRecord(SCHEMA_VERSION, region, at, kept)
    while len(to_json(record).encode()) > LARGEST_VALUE:
        largest = max(kept, key=lambda stack: len(json.dumps(kept[stack])))
        del kept[largest]
        record = replace(record, left_out=(*record.left_out, largest))
    return record
