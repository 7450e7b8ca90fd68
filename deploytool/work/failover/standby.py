"""Keeps in the standby region what it must know of a stage when the primary's API is down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.failover.ports import StandbyRecords
from deploytool.core.failover.records import Deployed, StandbyRecord
from deploytool.core.failover.standby import outputs_record, standby_record
from deploytool.core.project.config import Setting
from deploytool.core.project.graph import NodeId
from deploytool.core.service.service import Service
from deploytool.core.stacks.plan import Action
from deploytool.work.stacks.operations import Outcome

_UNCHANGED = (Action.NOTHING, Action.NOT_CHOSEN, Action.LATER, Action.NOT_THERE, Action.LEFT)


@dataclass(frozen=True)
class DeployedStage:
    """A stage after a deployment: its service, its settings and the outputs of its stacks."""

    service: Service
    settings: Mapping[str, Setting]
    outputs: Mapping[NodeId, Mapping[str, str]]
    deployed: Deployed


@dataclass(frozen=True)
class Kept:
    """Whether the records are as they should be, and the errors of those that are not."""

    done: bool
    errors: tuple[DeploytoolError, ...] = ()


def is_changed(outcome: Outcome) -> bool:
    """Return whether a run changed a stack, or may have: one failed, or was stopped."""
    if outcome.failed or outcome.stopped:
        return True
    return any(action not in _UNCHANGED for action in outcome.done.values())


def keep_records(
    records: StandbyRecords, stage: DeployedStage, name_servers: Callable[[str], Sequence[str]]
) -> Kept:
    """Write both records of a deployment: the service, and the outputs of the primary region.

    `name_servers` returns the names of the servers of a hosted zone. A stage whose DNS is hosted
    elsewhere has no hosted zone of ours; its record has no zone, no server and no switch.
    """
    service = stage.service
    errors: list[DeploytoolError] = []
    try:
        servers = _servers_of(service.hosted_zone_id, records, name_servers)
        records.write(standby_record(service, stage.settings, servers, stage.deployed))
    except DeploytoolError as error:
        errors.append(error)

    # Without the first record the outputs are useful too
    try:
        records.write(outputs_record(service.primary, stage.outputs, stage.deployed.at))
    except DeploytoolError as error:
        errors.append(error)
    return Kept(not errors, tuple(errors))


def _servers_of(
    zone: str, records: StandbyRecords, name_servers: Callable[[str], Sequence[str]]
) -> Sequence[str]:
    """Return the names of a zone's servers: Route 53's answer, or without one the record's."""
    if not zone:
        return ()
    try:
        return name_servers(zone)
    except ApiUnavailable:
        # A hosted zone keeps its name servers for as long as it exists
        record = records.read(StandbyRecord)
        if record is None or record.hosted_zone_id != zone:
            raise
        return record.name_servers


def note_deployment(records: StandbyRecords, deployed: Deployed) -> Kept:
    """Note in the record that exists who deployed last, and from which commit.

    For a run that could not ask the primary region: what else is in the record stays as it was.
    """
    try:
        record = records.read(StandbyRecord)
        if record is None:
            return Kept(done=False)
        records.write(replace(record, deployed=deployed))
    except DeploytoolError as error:
        return Kept(done=False, errors=(error,))
    return Kept(done=True)
