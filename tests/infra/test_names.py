"""Every name of a stage matches the patterns of the roles, whatever project and stage are called."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploytool.core.permissions.needs import missing, needs_of
from deploytool.core.permissions.policy import Statement, parse_statements
from deploytool.core.permissions.text import texts_of
from deploytool.core.project.config import PROJECT, STAGE, Config, parse_config
from deploytool.core.project.decided import decided
from deploytool.core.project.graph import Graph
from deploytool.files.project import Project
from deploytool.files.schemas import InstalledSchemas

SCHEMAS = InstalledSchemas()
ACCOUNT = "123456789012"
LONGEST_PROJECT, LONGEST_STAGE = "p" * 32, "s" * 16
# Characters that a service takes in a name: type -> property, limit.
LIMITS = {
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::Scheduler::ScheduleGroup": ("Name", 64),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::Logs::LogGroup": ("LogGroupName", 512),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", 128),
}


def configuration(project: str, stage: str) -> Config:
    text = f"""
project = "{project}"
domain = "example.com"
regions = ["us-east-1", "ap-southeast-1"]
[stages.{stage}.settings]
vpc = true
permissions_boundary = "deploytool/{project}-{stage}-boundary"
"""
    return parse_config(text, "deploytool.toml")


def known_values(project: str, stage: str) -> dict[str, str]:
    """Return the parameters of the bootstrap's template that its policies use."""
    return {
        "AWS::Partition": "aws",
        "AWS::AccountId": ACCOUNT,
        "Project": project,
        "Stage": stage,
        "DomainName": f"{stage}.example.com",
        "PrimaryRegion": "us-east-1",
        "SecondaryRegion": "ap-southeast-1",
    }


def statements_of(project: Project, role: str, values: Mapping[str, str]) -> tuple[Statement, ...]:
    """Return the statements of a role of the bootstrap's template."""
    resources: Any = project.bootstrap_template().document["Resources"]
    properties = resources[role]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    for policy in properties.get("ManagedPolicyArns", ()):
        documents.append(resources[policy["Ref"]]["Properties"]["PolicyDocument"])
    statements: list[Statement] = []
    for document in documents:
        statements += parse_statements(document, values)
    return tuple(statements)


def stacks(graph: Graph) -> Iterator[tuple[str, Mapping[str, Any], dict[str, str]]]:
    """Yield the template, the document and the known values of each stack."""
    for node in graph.nodes.values():
        given: dict[str, str | None] = {
            name: value if isinstance(value, str) else None
            for name, value in node.parameters.items()
        }
        document = decided(node.document, given)
        values = {name: value for name, value in given.items() if value is not None}
        values |= {
            "AWS::Partition": "aws",
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": node.id.region,
            "AWS::StackName": node.stack_name,
        }
        yield node.template.file, document, values


names = st.tuples(st.from_regex(PROJECT, fullmatch=True), st.from_regex(STAGE, fullmatch=True))


@given(names)
@settings(max_examples=15, deadline=None)
@example((LONGEST_PROJECT, LONGEST_STAGE))
@example(("ab", "s"))
@example((LONGEST_PROJECT, "s"))
@example(("ab", LONGEST_STAGE))
@example(("customer-portal-api", "production"))
def test_every_name_matches_the_patterns_of_cloudformation_s_role(
    project: Project, given_names: tuple[str, str]
) -> None:
    """Names that a template gives, and the shortest that CloudFormation may generate."""
    name, stage = given_names
    renamed = replace(project, config=configuration(name, stage))
    statements = statements_of(renamed, "CloudFormationRole", known_values(name, stage))
    for file, document, values in stacks(renamed.graph(stage)):
        lacking = missing(needs_of(file, document, SCHEMAS, values), statements)
        assert [
            f"{need.template}: {need.permission} on {need.permission.arn}" for need in lacking
        ] == []


def test_the_check_sees_a_role_whose_generated_name_leaves_the_pattern(project: Project) -> None:
    """Without its path, the name of a role of a long stage is too short to be recognized."""
    renamed = replace(project, config=configuration(LONGEST_PROJECT, LONGEST_STAGE))
    values = known_values(LONGEST_PROJECT, LONGEST_STAGE)
    statements = statements_of(renamed, "CloudFormationRole", values)
    role = {"Type": "AWS::IAM::Role", "Properties": {}}
    known = values | {"AWS::StackName": f"{LONGEST_PROJECT}-{LONGEST_STAGE}-lambda"}

    def lacking(resource: Any) -> set[str]:
        needs = needs_of("x.yaml", {"Resources": {"Role": resource}}, SCHEMAS, known)
        return {need.permission.action for need in missing(needs, statements)}

    assert "iam:CreateRole" in lacking(role)
    path = {"Fn::Sub": "/${AWS::StackName}/"}
    assert lacking({**role, "Properties": {"Path": path}}) == set()


def test_every_name_fits_the_service(project: Project) -> None:
    """With the longest project and stage too."""
    renamed = replace(project, config=configuration(LONGEST_PROJECT, LONGEST_STAGE))
    graph = renamed.graph(LONGEST_STAGE)
    documents = list(stacks(graph))
    bootstrap = renamed.bootstrap_template()
    values = known_values(LONGEST_PROJECT, LONGEST_STAGE)
    documents.append((bootstrap.file, bootstrap.document, values))

    checked = set()
    for file, document, known in documents:
        for logical_id, resource in document["Resources"].items():
            if resource["Type"] not in LIMITS:
                continue
            name, limit = LIMITS[resource["Type"]]
            value = resource["Properties"].get(name)
            for text in texts_of(value, known):
                # The two parts of the stack's id in the name of the bucket
                filled = text.replace("**", "0" * 12)
                assert "*" not in filled
                assert len(filled) <= limit, f"{file}: {logical_id}"
                checked.add(resource["Type"])
    assert checked == set(LIMITS)


@pytest.mark.parametrize(("project_length", "stage_length"), [*product((2, 32), (1, 16))])
def test_the_drill_role_may_pass_the_guard_s_role(
    project: Project, project_length: int, stage_length: int
) -> None:
    """The path of the role is what its pattern matches, so the name may be shortened."""
    name, stage = "p" * project_length, "s" * stage_length
    statements = statements_of(project, "DrillRole", known_values(name, stage))
    [passing] = [statement for statement in statements if statement.names("iam:PassRole")]
    role = f"arn:aws:iam::{ACCOUNT}:role/{name}-{stage}-drill-guard/{name[:25]}-SchedulerRole-x"
    assert passing.covers(role)
    other = f"arn:aws:iam::{ACCOUNT}:role/other-{stage}-drill-guard/x"
    assert not passing.covers(other)
