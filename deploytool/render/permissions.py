"""What the roles of the pipeline lack, as text and as a JSON document."""

from collections.abc import Sequence
from typing import Any

from deploytool.core.permissions.grants import Grants
from deploytool.core.permissions.needs import Need
from deploytool.core.project.own_permissions import OWN_FILE, OwnPermissions
from deploytool.core.project.role_findings import BoundaryGap, RoleFindings
from deploytool.core.project.yamltext import dump_yaml

SHOWN = 6  # actions in one line

GRANT_HINT = (
    "deploytool bootstrap grants them with your own credentials (--show prints them before);"
    " commit the file that it writes"
)


def finding_lines(findings: RoleFindings, grants: Grants) -> list[str]:
    """Return one line for each resource and for each role that lacks something, and the fixes."""
    lines: list[str] = []
    lines += _need_lines([need for need, _ in findings.lacking if need not in grants.withheld])
    if lines:
        lines.append(f"  {GRANT_HINT}")
    withheld = _need_lines(list(grants.withheld))
    if withheld:
        lines += withheld
        lines.append(
            "  bootstrap never grants these, with which a pipeline could give itself more power:"
            f" write statements for them below `cloudformation` in {OWN_FILE}"
        )
    lines += [_gap_line(gap) for gap in sorted(findings.gaps)]
    return lines


def findings_document(findings: RoleFindings) -> list[dict[str, Any]]:
    """Return every permission that is missing, with the resource that needs it."""
    document: list[dict[str, Any]] = []
    for need in sorted({need for need, _ in findings.lacking}):
        document.append(
            {
                "template": need.template,
                "resource": need.resource,
                "type": need.kind,
                "action": need.permission.action,
                "service": need.permission.service,
                "on": need.permission.arn or "*",
            }
        )
    return document


def policy_text(own: OwnPermissions, grants: Grants) -> str:
    """Return the statements that `bootstrap` adds to the roles, as YAML."""
    parts: dict[str, Any] = {
        "granted": list(grants.statements),
        "cloudformation": list(own.role),
        "boundary": list(own.boundary),
    }
    present = {name: part for name, part in parts.items() if part}
    return dump_yaml(present).rstrip() if present else ""


def _need_lines(needs: Sequence[Need]) -> list[str]:
    """Return a line for each resource. A resource has the same needs in every stage and region."""
    actions: dict[tuple[str, str, str], set[str]] = {}
    places: dict[tuple[str, str, str], set[str]] = {}
    for need in needs:
        key = (need.template, need.resource, need.kind)
        actions.setdefault(key, set()).add(str(need.permission))
        if need.permission.arn:
            places.setdefault(key, set()).add(need.permission.arn)

    lines: list[str] = []
    for key in sorted(actions):
        template, resource, kind = key
        named = sorted(actions[key])
        text = ", ".join(named[:SHOWN])
        if len(named) > SHOWN:
            text += f" and {len(named) - SHOWN} more"
        on = f" on {min(places[key])}" if key in places else ""
        lines.append(
            f"{template}: Resources.{resource}: CloudFormation's role lacks what {kind} needs{on}:"
            f" {text}"
        )
    return lines


def _gap_line(gap: BoundaryGap) -> str:
    place = f"{gap.template}: Resources.{gap.resource}"
    if not gap.has_boundary:
        return (
            f"{place}: has no PermissionsBoundary, without which CloudFormation's role may not create"
            " it; take the parameter PermissionsBoundary, as lambda.yaml does"
        )
    return (
        f"{place}: its policies allow {', '.join(gap.actions)}, which the permissions boundary does"
        f" not; write a statement for it below `boundary` in {OWN_FILE}, and bootstrap again"
    )
