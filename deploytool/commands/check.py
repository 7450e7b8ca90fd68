"""deploytool check: resolve the domain, call it, show which region serves, and whether it can move.

It changes nothing, and needs no API of AWS: where none answers, only the last part is not known.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import assert_never

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._logs import read_logs
from deploytool.commands._resolvers import tell_left_out
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.readiness import Remedy
from deploytool.core.ports import HttpAnswer
from deploytool.core.project.graph import OutputRef
from deploytool.core.service.findings import Findings, ZoneServers, has_no_address, problems
from deploytool.core.service.service import Service
from deploytool.render.check import check_document, check_lines, check_markdown, readiness_lines
from deploytool.render.github import add_to_step_summary
from deploytool.render.logs import event_line
from deploytool.render.text import escape
from deploytool.targets.service import configured_service, readiness_ports
from deploytool.work.check import check
from deploytool.work.failover.readiness import Readiness, read_readiness

SERVER_ERROR = 500
LOGS_SECONDS = 300.0  # how far back a failing region's log is read
MOST_LINES = 5


def run(arguments: StageArguments) -> int:
    """Return 0 when the primary serves, every part answers and a failover can happen, else 1.

    What cannot be read for want of an API is said, and is no reason for 1.
    """
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        service = configured_service(context.project, context.graph)
        tell_left_out(context.terminal, context.target.quick_network)
        executor = context.target.ports.executor
        ports = readiness_ports(context.target, context.project, context.graph.stage)
        reading = executor.submit(partial(read_readiness, ports))
        findings = look(context, service)
        readiness = reading.result()
        wrong = [*problems(findings, service), *readiness.reasons]
        hint = _hint(context) if has_no_address(findings) else _way_back(context, readiness)

        document = check_document(findings, wrong, service)
        failover = {"ready": readiness.is_ready, **asdict(readiness)}
        context.terminal.document(document | {"failover": failover, "hint": hint})
        for line in check_lines(findings, service):
            context.terminal.say(line)
        for problem in problems(findings, service):
            context.terminal.say(f"[red]✗[/] {escape(problem)}")
        for line in _error_lines(context, findings):
            context.terminal.say(line)
        for line in readiness_lines(readiness):
            context.terminal.say(line)
        if hint:
            context.terminal.say(f"  {escape(hint)}")
        # Writes nothing outside GitHub Actions
        add_to_step_summary(check_markdown(findings, wrong, service), context.terminal)
        return 1 if wrong else 0


def _error_lines(context: CommandContext, findings: Findings) -> Iterator[str]:
    """Yield the last errors that the functions of failing regions have logged.

    Only where the region itself has answered: nobody waits for the API of one that is down.
    """
    failing = [
        region
        for region, answer in findings.regions.items()
        if isinstance(answer, HttpAnswer) and answer.status >= SERVER_ERROR
    ]
    if not failing:
        return
    since = context.target.unix_time() - LOGS_SECONDS
    try:
        events, _missing = read_logs(context, failing, since)
    except DeploytoolError as error:
        yield f"[dim]what the functions logged is not known: {escape(str(error))}[/]"
        return
    errors = [event for event in events if event.is_error][-MOST_LINES:]
    more = f"deploytool logs --stage {context.graph.stage}"
    if errors:
        yield f"The last errors of {LOGS_SECONDS / 60:.0f} minutes ({more} has more):"
    for event in errors:
        yield f"  {event_line(event)}"


def look(context: CommandContext, service: Service) -> Findings:
    """Check a service once, within the short time limits."""
    target = context.target
    zone = ZoneServers()
    # The name servers of another provider may answer with a CNAME that only a resolver follows
    if "hosted_zone" in context.graph.service:
        zone = target.name_servers.find(service.domain)
    return check(target.quick_probes, target.ports.executor, service, zone)


def _way_back(context: CommandContext, readiness: Readiness) -> str:
    """Return how a deleted health check comes back, "" when none is deleted.

    CloudFormation still takes it for there, so that an update of its stack would fail. A stack whose
    resource is gone can be deleted, and the next deployment creates it with another id.
    """
    commands: list[str] = []
    for name in readiness.deleted:
        value = context.graph.service.get(name)
        if isinstance(value, OutputRef):
            stack_name = context.graph.nodes[value.node].stack_name
            place = f"--region {value.node.region} --stack-name {stack_name}"
            commands.append(f"aws cloudformation delete-stack {place}")
    if not commands:
        return _remedy(readiness, context.graph.stage, _option(context))
    option = _option(context)
    commands.append(f"deploytool deploy --stage {context.graph.stage}{option}")
    return f"to create it again: {', then '.join(commands)}"


def _remedy(readiness: Readiness, stage: str, option: str) -> str:
    """Return the command that lets a failover happen again, "" when none does."""
    match readiness.remedy:
        case None:
            return ""
        case Remedy.FAILBACK:
            return f"to let traffic return: deploytool failback --stage {stage}{option}"
        case Remedy.RESTORE:
            return f"to undo the inversion: deploytool restore --stage {stage}{option}"
        case Remedy.TURN_ON:
            commands = [
                f"aws route53 update-health-check --health-check-id {id_} --no-disabled --no-inverted"
                for id_ in readiness.turned_off
            ]
            return f"to turn it on again: {', then '.join(commands)}"
        case Remedy.REPAIR if option:
            return "to bring it back: make it as its template says; the local cloud repairs nothing"
        case Remedy.REPAIR:
            return f"to bring it back: deploytool deploy --stage {stage} --repair"
    assert_never(readiness.remedy)


def _option(context: CommandContext) -> str:
    return " --local" if context.target.name == "local" else ""


def _hint(context: CommandContext) -> str:
    option = _option(context)
    stage = context.graph.stage
    return f"if stage {stage} is not deployed: deploytool deploy --stage {stage}{option}"
