"""The stage serves: by its domain, and in each region by that region's own name."""

from collections.abc import Mapping
from typing import Any


def test_the_domain_answers_over_https(client: Any, facts: Mapping[str, Any]) -> None:
    """It resolves, its certificate is valid for it, and the path answers 200."""
    assert client.resolve(facts["domain"])
    assert client.get(facts["domain"], facts["path"]).status_code == 200


def test_each_region_answers_at_its_own_name(client: Any, facts: Mapping[str, Any]) -> None:
    """A failover to a region that does not answer would take the API down."""
    for region in facts["matrix"]["region"]:
        answer = client.get(facts["regional_domains"][region], facts["path"])
        assert answer.status_code == 200, region
        assert answer.headers["x-served-by-region"] == region


def test_the_check_finds_no_problem(deployed: Any, facts: Mapping[str, Any]) -> None:
    """Name servers, resolvers, certificates and both regions are as they should be."""
    done = deployed.run("check", "--output", "json")
    assert done.code == 0, done.err
    assert done.json["served_by"] == facts["primary"]


def test_nothing_is_left_to_deploy(deployed: Any) -> None:
    """What is deployed is what the files of this project say."""
    done = deployed.run("plan", "--output", "json")
    assert done.code == 0, done.err
    assert {step["action"] for step in done.json["steps"]} <= {"nothing"}
