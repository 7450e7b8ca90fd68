"""A stage that is deployed has a setup in order."""

from tests.endtoend.conftest import Bench


def test_a_deployed_stage(deployed: Bench) -> None:
    """Its zone is found and delegated, and nothing is a problem."""
    done = deployed.deploytool("doctor", "--output", "json")
    checks = {check["id"]: check for check in done.json["checks"]}
    stage = deployed.stage
    for name in (f"zone.{stage}", f"delegation.{stage}", f"caa.{stage}", f"soa.{stage}"):
        assert checks[name]["status"] == "ok", checks[name]
    assert done.code == 0, done.out
