"""The service of a stage: the settings to look up for it, and a stage without a hosted zone."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.core.errors import ApiUnavailable, InputError
from deploytool.core.failover.records import Deployed, StandbyRecord, to_json
from deploytool.core.project.config import parse_config
from deploytool.files.project import Project, load_project
from deploytool.targets.service import look_up, service_of

TEXT = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
settings = {{ zone = "{}" }}
"""


def project_with(zone: str) -> Project:
    """The shipped project with a stage of this kind of zone."""
    shipped = load_project(Path(__file__).parents[2] / "deploytool.toml")
    return replace(shipped, config=parse_config(TEXT.format(zone), "deploytool.toml"))


def target(answers: dict[str, str]) -> Any:
    """A target that finds these hosted zones by domain."""
    return SimpleNamespace(find_hosted_zone=answers.get)


def test_an_existing_zone_without_an_id_is_found_by_the_domain() -> None:
    """A stage with another kind of zone looks up nothing."""
    assert look_up(project_with("existing"), "dev", target({"dev.example.com": "Z1"})) == {
        "hosted_zone_id": "Z1"
    }
    assert look_up(project_with("new"), "dev", target({"dev.example.com": "Z1"})) == {}


def test_a_zone_that_is_not_found_is_a_problem_of_the_setting() -> None:
    """The message names the setting's key and both ways to fix it."""
    with pytest.raises(
        InputError,
        match=r"stages\.dev\.settings\.hosted_zone_id: no public hosted zone holds dev\.example\.com",
    ):
        look_up(project_with("existing"), "dev", target({}))


def silent_target(record: str | None) -> Any:
    """A target whose Route 53 does not answer, with this record in the secondary region."""

    def find(_domain: str) -> str:
        raise ApiUnavailable("no answer", "us-east-1")

    class Ssm:
        def get_parameter(self, Name: str) -> Any:  # noqa: N803  # as boto3 has it
            assert Name == "/deploytool/hello/dev/standby"
            if record is None:
                raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")
            return {"Parameter": {"Value": record}}

    clients = SimpleNamespace(get=lambda *place: {("ssm", "us-west-2"): Ssm()}[place])
    return SimpleNamespace(find_hosted_zone=find, clients=clients)


def standby_record(domain: str) -> str:
    deployed = Deployed("2026-01-01T00:00:00+00:00", "me")
    record = StandbyRecord(
        1, "hello", "dev", domain, "/v1", "us-east-1", "us-west-2", {}, "Z1", (), "", "", "",
        "automatic", deployed,
    )  # fmt: skip
    return to_json(record)


def test_while_route_53_does_not_answer_the_standby_region_tells_the_zone() -> None:
    """It has what the last deployment of the same domain found; otherwise the error stays."""
    project = project_with("existing")
    known = silent_target(standby_record("dev.example.com"))
    assert look_up(project, "dev", known) == {"hosted_zone_id": "Z1"}
    for record in (None, standby_record("other.example.com")):
        with pytest.raises(ApiUnavailable):
            look_up(project, "dev", silent_target(record))


def test_a_domain_hosted_elsewhere_has_no_failover_to_check() -> None:
    """A check or a drill refuses such a stage before it starts."""
    project = project_with("external")
    with pytest.raises(InputError, match="stage dev has no hosted zone") as caught:
        service_of(project, project.graph("dev"), {})
    assert "docs/how-to/domain.md" in caught.value.hint
