"""The policies that a project adds to the roles of the bootstrap."""

from pathlib import Path
from typing import Any

import pytest

from deploytool.core.errors import InputError
from deploytool.core.permissions.grants import POLICY_LIMIT, packed
from deploytool.core.project.own_permissions import (
    OwnPermissions,
    boundary_statements,
    parse_granted,
    parse_own,
    render_granted,
    role_statements,
    with_permissions,
)
from deploytool.core.project.template import BODY_LIMIT, Template, parse_template, render_body
from deploytool.core.project.yamltext import load_yaml


@pytest.fixture(scope="module")
def template() -> Template:
    path = Path(__file__).parents[3] / "infra" / "github-oidc.yaml"
    return parse_template(path.read_text(encoding="utf-8"), path.name)


def statement(sid: str, actions: int = 1) -> dict[str, Any]:
    names = [f"things:DoSomethingLong{number}" for number in range(actions)]
    return {"Sid": sid, "Effect": "Allow", "Action": names, "Resource": "*"}


def test_policies_are_attached_without_changing_the_role(template: Template) -> None:
    """What somebody attached to the role by hand is no drift, and stays."""
    own = OwnPermissions((statement("A"),), (statement("B"),), (statement("C"),))
    extended = with_permissions(template, own)
    before, after = template.document["Resources"], extended.document["Resources"]
    assert after["CloudFormationRole"] == before["CloudFormationRole"]
    assert set(after) - set(before) == {"OwnPolicy1", "GrantedPolicy1"}
    for name, sid in (("OwnPolicy1", "A"), ("GrantedPolicy1", "C")):
        properties = after[name]["Properties"]
        assert properties["Roles"] == [{"Ref": "CloudFormationRole"}]
        assert [entry["Sid"] for entry in properties["PolicyDocument"]["Statement"]] == [sid]

    boundary = after["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    assert boundary[:-1] == before["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    assert boundary[-1]["Sid"] == "B"


def test_without_permissions_of_its_own_the_template_is_as_it_is(template: Template) -> None:
    """A project that adds nothing gets no policy, so nothing is deployed again."""
    assert with_permissions(template, OwnPermissions()).document == template.document


def test_a_template_without_the_role_is_refused() -> None:
    """The user may have written another one."""
    other = parse_template("Resources: {X: {Type: AWS::SNS::Topic}}", "github-oidc.yaml")
    with pytest.raises(InputError, match="CloudFormationRole: is missing"):
        role_statements(other, OwnPermissions(), {})
    with pytest.raises(InputError, match="Boundary: is missing"):
        boundary_statements(other, OwnPermissions())


def test_statements_are_split_into_policies_that_fit() -> None:
    """No statement is lost, and the order stays."""
    statements = [statement(f"S{number}", 40) for number in range(10)]
    groups = packed(statements)
    assert len(groups) > 1
    assert [entry for group in groups for entry in group] == statements
    for group in groups:
        assert sum(len(str(entry)) for entry in group) <= POLICY_LIMIT * 1.3


def test_many_grants_still_fit_into_one_template(template: Template) -> None:
    """The body is written without lines and indentation when it is too large with them."""
    own = OwnPermissions(granted=tuple(statement(f"S{number}", 40) for number in range(8)))
    document = with_permissions(template, own).document
    body = render_body(document, "0" * 16, "github-oidc.yaml")
    assert len(body.encode()) <= BODY_LIMIT
    assert body.startswith("{")
    parsed = load_yaml(body, "x")
    assert parsed["Resources"] == document["Resources"]


def test_the_written_file_is_read_again() -> None:
    """Functions keep their meaning."""
    granted = ({**statement("A"), "Resource": {"Fn::Sub": "arn:${AWS::Partition}:x"}},)
    text = render_granted(granted)
    assert text.startswith("# Written by `deploytool bootstrap`")
    assert parse_granted(text, "granted.yaml") == granted


def test_the_user_s_file_has_two_lists() -> None:
    """Either may be left out, and an empty file has neither."""
    own = parse_own("boundary: [{Effect: Allow, Action: a:B, Resource: '*'}]", "permissions.yaml")
    assert (own.role, len(own.boundary)) == ((), 1)
    assert parse_own("", "permissions.yaml") == OwnPermissions()
