"""What a deployment and a destruction do with the records in the standby region."""

import getpass
import socket
from collections.abc import Mapping

from deploytool import __version__
from deploytool.aws.standby import SsmStandbyRecords
from deploytool.commands._context import CommandContext
from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.ports import StandbyRecords
from deploytool.core.failover.records import Deployed, StandbyRecord
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.stack import Stack
from deploytool.net.clock import wall_time
from deploytool.render.text import escape
from deploytool.targets.service import known_service, standby_records
from deploytool.work.failover.standby import (
    DeployedStage,
    Kept,
    is_changed,
    keep_records,
    note_deployment,
)
from deploytool.work.stacks.lock import remove_abandoned_leases
from deploytool.work.stacks.operations import Outcome


def keep_deployment(
    context: CommandContext, before: Mapping[NodeId, Stack], outcome: Outcome
) -> Kept:
    """Write the records of a run that changed something, once the whole service is known.

    `before` are the stacks as the run found them. A run that deployed a part of the stage leaves
    the older records when something of the service does not exist yet. One that could not ask the
    primary region notes in the older record that it deployed. A run with nothing to do makes no
    call.
    """
    if not is_changed(outcome):
        return Kept(done=False)

    outputs = {node: stack.outputs for node, stack in before.items()} | outcome.outputs
    service = known_service(context.project, context.graph, outputs)
    secondary = context.project.config.secondary
    on_the_day = bool(outcome.unreachable) and secondary not in outcome.unreachable
    if service is None and not on_the_day:
        return Kept(done=False)

    deployed = Deployed(
        at=wall_time(),
        by=f"{getpass.getuser()}@{socket.gethostname()}",
        commit=context.target.ports.commit(),
        tool=__version__,
    )
    records = standby_records(context.target, context.project, context.graph.stage)
    if service is None:
        return note_deployment(records, deployed)
    stage = DeployedStage(service, context.graph.settings, outputs, deployed)
    return keep_records(records, stage, context.target.name_server_names)


def remove_records(context: CommandContext) -> Kept:
    """Delete the records of a stage that is destroyed, and leases that are left. Can be repeated."""
    config, stage = context.project.config, context.graph.stage
    records = standby_records(context.target, context.project, stage)
    coordination = context.target.ports.coordination
    try:
        records.remove_all()
        if coordination is not None:
            remove_abandoned_leases(coordination, config.project, stage, config.regions)
    except DeploytoolError as error:
        return Kept(done=False, errors=(error,))
    return Kept(done=True)


def all_standby_records(context: CommandContext) -> tuple[StandbyRecords, ...]:
    """Return where the records of a stage may be: in the secondary region, else in the primary.

    The two may have changed places since the stage was deployed.
    """
    config = context.project.config
    clients = context.target.clients
    regions = reversed(config.regions)
    stage = context.graph.stage
    return tuple(SsmStandbyRecords(clients, region, config.project, stage) for region in regions)


def left_zone(
    context: CommandContext,
    record: StandbyRecord | None,
    before: Mapping[NodeId, Stack],
    outcome: Outcome,
) -> str:
    """Return the id of the hosted zone of the stage's former domain, "" when there is none.

    Its template retains it, and it costs money.
    """
    if record is None or record.domain == context.domain or not record.hosted_zone_id:
        return ""
    outputs = {node: stack.outputs for node, stack in before.items()} | outcome.outputs
    service = known_service(context.project, context.graph, outputs)
    if service is None or service.hosted_zone_id == record.hosted_zone_id:
        return ""
    return record.hosted_zone_id


def kept_document(kept: Kept) -> dict[str, object]:
    """Return for JSON whether the records were written, and why not."""
    return {"written": kept.done, "errors": [str(error) for error in kept.errors]}


def report_kept(context: CommandContext, kept: Kept, exit_code: int) -> int:
    """Print the errors. Return the exit code of the run, or of the first error after a good run."""
    for error in kept.errors:
        context.terminal.say(f"[red]not done[/]: {escape(str(error))}")
        if error.hint:
            context.terminal.say(f"  {escape(error.hint)}")
    if exit_code == 0 and kept.errors:
        return kept.errors[0].exit_code
    return exit_code
