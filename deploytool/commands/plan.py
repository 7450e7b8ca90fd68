"""deploytool plan: show what a deployment would change, resource by resource. Changes nothing."""

import sys
from pathlib import Path

from deploytool.commands._context import CommandContext, open_context, stack_filter
from deploytool.commands._standby import all_standby_records
from deploytool.commands._takeover import adopting
from deploytool.commands.arguments.deploy import PlanArguments
from deploytool.core.errors import ApiUnavailable, CloudRefused, InputError
from deploytool.core.stacks.planfile import plan_basis, write_plan_file
from deploytool.render.github import add_to_step_summary
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.markdown import plan_markdown
from deploytool.render.plan.text import plan_lines
from deploytool.render.text import escape
from deploytool.work.alarms import check_alarms
from deploytool.work.certificates.zone_check import check_zones
from deploytool.work.rollout.identity import check_identity, find_standby_record
from deploytool.work.stacks.preview import Plan, plan

STDOUT = "-"


def run(arguments: PlanArguments) -> int:
    """Print the plan. Return 0, or 1 when a deployment would refuse a stack or an update.

    4 when the plan lacks a region, because its API does not answer.
    """
    _check_arguments(arguments)
    with open_context(arguments, builds=True, changes=True) as context:
        unchecked = _check_alarms(context)
        graph = adopting(context.graph) if arguments.adopt else context.graph
        preview = plan(graph, context.target.planning, context.regions, drift=arguments.drift)
        if preview.deployed:
            record = find_standby_record(all_standby_records(context))
            check_identity(record, context.project.config, replaces_domain=arguments.replace_domain)
        unchecked = unchecked or _check_zones(context, preview)
        exit_code = _exit_code(preview, unchecked)
        document = plan_document(preview)
        markdown = plan_markdown(preview)

        if arguments.out:
            _require_every_region(preview)
            basis = plan_basis(context.graph, context.target.name, preview.deployed)
            _write(arguments.out, write_plan_file(basis, document))
        # Writes nothing outside GitHub Actions
        add_to_step_summary(markdown, context.terminal)
        if arguments.markdown == STDOUT:
            sys.stdout.write(markdown)
            return exit_code
        if arguments.markdown:
            _write(Path(arguments.markdown), markdown)

        context.terminal.document(document)
        for line in plan_lines(preview):
            context.terminal.say(line)
        if unchecked:
            context.terminal.say(f"alarms and DNS are not checked: {escape(unchecked)}")
        return exit_code


def _check_alarms(context: CommandContext) -> str:
    """Refuse alarms that Route 53 does not take. Return why they cannot be checked, empty if they can.

    A plan is still useful while the API of a region does not answer.
    """
    is_selected = stack_filter(context, (), None)
    file = context.project.config.file
    try:
        check_alarms(context.graph, is_selected, context.target.alarms, file)
    except ApiUnavailable as error:
        return str(error)
    return ""


def _check_zones(context: CommandContext, preview: Plan) -> str:
    """Refuse zones and records that Route 53 would refuse. Return why they cannot be checked."""
    target = context.target
    try:
        check_zones(
            context.graph,
            stack_filter(context, (), None),
            preview.deployed,
            lambda: target.certificates.zones,
            context.project.config.file,
        )
    except ApiUnavailable as error:
        return str(error)
    except CloudRefused as error:
        # A role that an earlier bootstrap made. The deployment's own role has the permission.
        context.terminal.note(f"[yellow]DNS is not checked[/]: {escape(str(error))}")
    return ""


def _exit_code(preview: Plan, unchecked: str) -> int:
    if not preview.ok:
        return 1
    return ApiUnavailable.exit_code if preview.unreachable or unchecked else 0


def _require_every_region(preview: Plan) -> None:
    """Raise ApiUnavailable when the plan lacks a region: a plan file covers every one."""
    for region in preview.unreachable:
        raise ApiUnavailable(
            f"--out: a plan file covers every region, and the API of {region} does not answer",
            region,
            hint="leave out --out; a deployment with --region needs no plan file",
        )


def _check_arguments(arguments: PlanArguments) -> None:
    """Raise InputError for arguments that exclude each other."""
    if arguments.out and arguments.regions:
        raise InputError("--out: a plan file covers every region", hint="leave out --region")
    if arguments.markdown == STDOUT and arguments.output == "json":
        raise InputError(
            "--markdown -: standard output already takes the JSON document",
            hint="name a file: --markdown plan.md",
        )


def _write(path: Path, text: str) -> None:
    """Write a file. Raises InputError when that fails."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
